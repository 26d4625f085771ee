"""`smsgw check`: everything that is wrong with the configuration, at once."""

import typer

from smsgw.cli.common import Config, Json, noun, print_json

app = noun()


@app.command()
def check(config: Config = None, json: Json = False) -> None:
    """Check the configuration: every error as file:line:col: key.path: message."""
    from smsgw import settings

    problems, warnings, carriers = [], [], 0
    try:
        config = settings.find(config)
        loaded = settings.examine(config)
        warnings, carriers = loaded.warnings, len(loaded.settings.carriers)
    except settings.ConfigError as error:
        problems = error.problems
    if json:
        print_json(
            {
                "file": config and str(config),
                "ok": not problems,
                "carriers": carriers,
                "errors": [problem._asdict() for problem in problems],
                "warnings": [problem._asdict() for problem in warnings],
            }
        )
    else:
        for problem in problems:
            typer.echo(problem, err=True)
        for problem in warnings:
            typer.echo(problem._replace(message=f"warning: {problem.message}"), err=True)
    if problems:
        raise typer.Exit(1)
    if not json:
        typer.echo(f"{config}: ok, {carriers} {'carrier' if carriers == 1 else 'carriers'}")
