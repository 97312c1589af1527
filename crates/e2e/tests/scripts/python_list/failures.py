"""Every class of errors, and what is done again."""

import anthropic
import httpx2
from anthropic._error_classes import ERROR_CLASSES
from calls import say

CLASSES = {
    400: anthropic.BadRequestError,
    401: anthropic.AuthenticationError,
    402: anthropic.PaymentRequiredError,
    403: anthropic.PermissionDeniedError,
    404: anthropic.NotFoundError,
    408: anthropic.RequestTimeoutError,
    409: anthropic.ConflictError,
    412: anthropic.PreconditionFailedError,
    413: anthropic.ContentTooLargeError,
    422: anthropic.UnprocessableEntityError,
    429: anthropic.RateLimitError,
    431: anthropic.RequestHeaderFieldsTooLargeError,
    499: anthropic.ClientClosedRequestError,
    500: anthropic.InternalServerError,
    501: anthropic.HTTPNotImplementedError,
    503: anthropic.ServiceUnavailableError,
    504: anthropic.GatewayTimeoutError,
    529: anthropic.OverloadedError,
}


def fault(text):
    return {"extra_headers": {"x-mock-fault": text}}


def error_classes(calls, client):
    calls.about("error classes")
    for status, kind in CLASSES.items():
        create = lambda: client.messages.create(**say("hi"), **fault(f"status {status}"))
        error = calls.refused(f"status {status}", create, status, kind=kind)
        calls.check(f"class of {status}", type(error) is kind, error)
    for status, kind in {418: anthropic.APIStatusError, 599: anthropic.InternalServerError}.items():
        create = lambda: client.models.list(**fault(f"status {status}"))
        calls.check(f"class of {status}", type(calls.refused(f"status {status}", create, status)) is kind)
    wrong = client.with_options(api_key="sk-ant-api03-wrong")
    error = calls.refused("a wrong key", lambda: wrong.models.list(), 401, kind=anthropic.AuthenticationError)
    calls.check("request id", error.request_id.startswith("req_"), error)
    closed = lambda: client.models.list(**fault("close request"))
    calls.refused("no answer", closed, None, kind=anthropic.APIConnectionError)
    late = lambda: client.models.list(**fault("stall request"), timeout=0.2)
    calls.refused("a late answer", late, None, kind=anthropic.APITimeoutError)
    page = lambda: client.models.list(**fault("html"))
    calls.refused("a page", page, 200, kind=anthropic.APIResponseValidationError)
    broken = lambda: list(client.messages.create(**say("hi"), stream=True, **fault("reset event 3")))
    calls.refused("a broken stream", broken, None, kind=httpx2.ReadError)


def error_codes(calls, client):
    """Every code that the SDK has a class for: the class is the one, and one of those of its status."""
    calls.about("error codes")
    for (status, code), kind in ERROR_CLASSES.items():
        if code is None:
            continue
        call = lambda: client.models.list(**fault(f"error {code}"))
        error = calls.refused(f"error {code}", call, status, code, kind=CLASSES[status])
        calls.check(f"class of {code}", type(error) is kind, error)


def retries(calls, client):
    """The server is asked to fail as often as the client asks: the last failure counts the attempts."""
    calls.about("retries")
    patient = client.with_options(max_retries=2)

    def attempts(text, wait):
        create = lambda: patient.messages.create(**say("hi"), **fault(text))
        error = calls.refused(text, create, int(text.split()[1]), kind=anthropic.APIStatusError)
        sent = error.response.request.headers["x-stainless-retry-count"]
        calls.check(f"attempts of {text}", sent == ("2" if wait else "0"), sent)

    attempts("status 429 retry-after-ms 5", True)
    attempts("status 529 retry-after 0.005", True)
    attempts("status 503 retry-after-ms 1", True)
    attempts("status 409 retry-after-ms 1", True)
    attempts("status 408 retry-after-ms 1", True)
    attempts("status 400 retry-after-ms 1", False)
    attempts("status 500 x-should-retry false", False)
