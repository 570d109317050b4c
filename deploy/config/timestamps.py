"""The timestamp authority of receipts, from the settings."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from deploy.config.table import TABLE
from schema.receipts.timestamps import TimestampAuthority
from tracker.audit.receipts.timestamp import AuthorityCertificates
from tracker.errors import InvalidInput


def timestamp_authority(environment: Mapping[str, str] = os.environ) -> TimestampAuthority | None:
    """Return the authority that timestamps receipts; None without one. Raises WrongSetting."""
    url = TABLE["TIMESTAMP_AUTHORITY"].text(environment)
    file = TABLE["TIMESTAMP_CERTIFICATE"].text(environment)
    if url is None:
        return None
    if urlsplit(url).scheme not in ("http", "https"):
        raise TABLE["TIMESTAMP_AUTHORITY"].wrong("expected an http or https address")
    if file is None:
        raise TABLE["TIMESTAMP_CERTIFICATE"].wrong("expected the certificate of the authority")
    try:
        return TimestampAuthority(url, AuthorityCertificates.parse(Path(file).read_bytes()))
    except OSError as error:
        raise TABLE["TIMESTAMP_CERTIFICATE"].wrong(str(error.strerror), file) from None
    except InvalidInput as error:
        raise TABLE["TIMESTAMP_CERTIFICATE"].wrong(error.message, file) from None
