"""python -m oncarium"""

from .cli import main

main()
