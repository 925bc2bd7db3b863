#!/usr/bin/python3
"""hostile.py over TLS that also speaks HTTP/2, and then refuses streams: --refuse once, always (GETs never).

A client that offers h2 gets it; one that offers only http/1.1 gets hostile.py as it is. Log and control are the same.
"""
import argparse
import ssl
import sys

import hostile

try:
    import h2.config
    import h2.connection
    import h2.errors
    import h2.events
except ImportError:
    print("python3-h2 is missing: apt-get install python3-h2", flush=True)
    sys.exit(1)


class Server(hostile.Server):
    refused = 0

    async def converse(self, reader, writer, accept):
        tls = writer.get_extra_info("ssl_object")
        if tls is not None and tls.selected_alpn_protocol() == "h2":
            await self.converse_h2(reader, writer)
        else:
            await super().converse(reader, writer, accept)

    async def converse_h2(self, reader, writer):
        h2c = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        h2c.initiate_connection()
        number, nth, requests = self.accepted, 0, {}
        try:
            writer.write(h2c.data_to_send())
            while data := await reader.read(65536):
                for event in h2c.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        nth += 1
                        requests[event.stream_id] = self.note_h2(event, number, nth)
                    elif isinstance(event, h2.events.StreamEnded):
                        self.answer_h2(h2c, event.stream_id, requests.pop(event.stream_id))
                writer.write(h2c.data_to_send())
                await writer.drain()
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    def note_h2(self, event, number, nth):
        headers = dict(event.headers)
        self.requests.append({"method": headers[":method"], "path": headers[":path"],
                              "marker": headers.get("x-marker", ""), "connection": number, "nth": nth,
                              "headers": headers})
        return self.requests[-1]

    def answer_h2(self, h2c, stream, request):
        if request["method"] == "POST" and (self.options.refuse == "always" or self.refused == 0):
            self.refused += 1
            h2c.reset_stream(stream, h2.errors.ErrorCodes.REFUSED_STREAM)
            return
        h2c.send_headers(stream, [(":status", "200"), ("content-type", "application/json")])
        h2c.send_data(stream, hostile.OK, end_stream=True)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--refuse", choices=["once", "always"], default="once")
    hostile.run(Server, arguments, ["h2", "http/1.1"])
