"""``python -m pkcs12kit``."""

from pkcs12kit.cli import main

if __name__ == "__main__":
    main()
