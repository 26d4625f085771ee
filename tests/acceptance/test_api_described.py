"""The API does what its description says, whatever comes in: schemathesis makes it up, and asks a
real daemon that is well."""

SCOPES = (
    "registrations", "billing", "messages", "notices", "reports", "lookups", "persons",
)  # fmt: skip
EXAMPLES = "15"  # of each operation, besides those at the edges of every field

CONFIG = """
shortcode: "170077"
data_dir: data
http: {{listen: "127.0.0.1:0", rate_in_all: 0}}
log: {{level: warning, format: json}}
billing: {{max_age: 0}}
carriers:
  mtel: {{host: 127.0.0.1, port: {port}, system_id: cez, password: x, number_ranges: ["35988"]}}
"""
FEED = """customer_number,bill_number,issued_on,due_on,cut_off_on,amount,currency,status
300012345678,1,2026-12-01,2026-12-05,,45.20,EUR,open
"""
