"""An add-on of mitmproxy: does to an answer what the request's header x-cut asks for, and keeps that header to itself.

`kill N` ends the connection after N bytes of the body, `end N` ends the body there as if that were all, and `rewrite` puts a page
in its place.
"""


def request(flow):
    flow.metadata["cut"] = flow.request.headers.pop("x-cut", "").split()


def responseheaders(flow):
    if flow.metadata["cut"] == ["rewrite"]:
        return
    flow.response.stream = True
    if flow.metadata["cut"]:
        left = int(flow.metadata["cut"][1])

        def first(piece):
            nonlocal left
            piece = piece[:left]
            left -= len(piece)
            # An empty piece would be a frame of HTTP/2, and many of them a flood.
            return [piece] if piece else []

        flow.response.stream = first
        if flow.metadata["cut"][0] == "end" and "content-length" in flow.response.headers:
            flow.response.headers["content-length"] = str(min(left, int(flow.response.headers["content-length"])))


def response(flow):
    match flow.metadata["cut"]:
        case ["kill", _]:
            flow.kill()
        case ["rewrite"]:
            flow.response.headers["content-type"] = "text/html"
            flow.response.text = "<h1>Your company has blocked this</h1>"
