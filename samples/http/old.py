"""old.py PORT: Python's http.server as it is, HTTP/1.0; content ends with the connection."""
import http.server, sys


class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        for i in range(3):
            self.wfile.write(b"part %d, the length is not told\n" % i * 20)

    def log_message(self, *a):
        pass


http.server.HTTPServer(("10.77.0.1", int(sys.argv[1])), H).serve_forever()
