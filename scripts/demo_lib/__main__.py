"""Run the demo command."""

import asyncio
import signal
import sys

# Loading takes a while, and whoever ends it then needs no traceback.
signal.signal(signal.SIGINT, signal.SIG_DFL)

from scripts.demo_lib.command import main, parse  # noqa: E402 - loaded after that

sys.exit(asyncio.run(main(parse(sys.argv[1:]))))
