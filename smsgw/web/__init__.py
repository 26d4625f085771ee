"""HTTP for those who run the gateway: health, readiness, metrics, a page of links."""
