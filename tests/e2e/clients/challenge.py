"""What an HTTP refusal says: by its challenge where that names an error (RFC 6750), else by its body
(RFC 6749)."""

from requests.utils import parse_dict_header


def read_refusal(response):
    scheme, _, parameters = response.headers.get("WWW-Authenticate", "").partition(" ")
    parameters = parse_dict_header(parameters)
    return {
        "error": parameters.get("error") or response.json().get("error"),
        "status": response.status_code,
        "scheme": scheme.lower(),
        "realm": parameters.get("realm"),
    }
