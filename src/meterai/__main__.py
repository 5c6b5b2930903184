"""The command ``meterai``: the doors, with what stands behind a demo handed in from above."""

from meterai.cli.application import build
from meterai.proving.stage import DemoStage


def main() -> None:
    """Runs the command line."""
    build(DemoStage())()


if __name__ == "__main__":
    main()
