"""`smsgw schema`: the configuration's JSON Schema."""

from smsgw.cli.common import noun, print_json

app = noun()


@app.command()
def schema() -> None:
    """Print the configuration's JSON Schema, for editors."""
    from smsgw import settings

    print_json(settings.schema(), indent=2)
