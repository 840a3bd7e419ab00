"""``python -m pyqemu``."""

import sys

from pyqemu.cli.main import main

sys.exit(main())
