#!/usr/bin/env python3
"""The batch as a good Python program does it: asyncio and aiohttp, for tools/bench to compare with.

One session with a connection pool, a semaphore for the cap, an exact sliding-window limiter, one task a job in flight.
It does the same work: submits each row of a manifest, polls every job until its video is done, writes the results. It
keeps no record of what it has paid for, so it does less than reelbatch.

asyncio_client.py BASE_URL MANIFEST RESULTS [--rate N/SECONDS] [--submit-rate N/SECONDS] [--cap N] [--interval SECONDS] [--connections N]
"""

import argparse
import asyncio
import collections
import csv
import json
import os
import time

import aiohttp

PATH = "/api/video-editor/generate/video/auto"


class Limiter:
    """At most `limit` requests in any window: the next may go when the one `limit` before has left it."""

    def __init__(self, limit, width):
        self.limit, self.width = limit, width
        self.sent = collections.deque(maxlen=limit)
        self.turn = asyncio.Lock()  # first come, first served

    @classmethod
    def of(cls, text):
        limit, width = text.split("/")
        return cls(int(limit), float(width))

    async def take(self):
        async with self.turn:
            if len(self.sent) == self.limit:
                wait = self.sent[0] + self.width - time.monotonic()
                if wait > 0:
                    await asyncio.sleep(wait)
            self.sent.append(time.monotonic())


class Batch:
    def __init__(self, session, options):
        self.session, self.interval = session, options.interval
        self.url = options.base_url + PATH
        self.limiter, self.submissions = Limiter.of(options.rate), Limiter.of(options.submit_rate)
        self.results = []

    async def ask(self, method, url, body=None):
        """(status, JSON) of an answer; polls that bring nothing are repeated by their caller."""
        await self.limiter.take()
        async with self.session.request(method, url, json=body) as answer:
            return answer.status, await answer.json()

    async def work(self, rows):
        """One job after the other until no row is left: so many of these as jobs may be in flight."""
        for row in rows:
            body = {"image_urls": row["image_urls"].split("|"), "description": row["description"]}
            await self.submissions.take()
            status, answer = await self.ask("POST", self.url, body)
            if status != 201:
                self.results.append({"id": row["id"], "state": "failed", "url": ""})
                continue
            due = time.monotonic() + self.interval
            while True:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                sent = time.monotonic()
                status, state = await self.ask("GET", f"{self.url}/{answer['id']}")
                due = sent + self.interval
                if status == 200 and state["status"] == "DONE":
                    self.results.append({"id": row["id"], "state": "done", "url": state["url"]})
                    break


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("base_url")
    parser.add_argument("manifest")
    parser.add_argument("results")
    parser.add_argument("--rate", default="10/1")
    parser.add_argument("--submit-rate", default="1/1")
    parser.add_argument("--cap", type=int, default=20)
    parser.add_argument("--interval", type=float, default=3)
    parser.add_argument("--connections", type=int, default=128)
    options = parser.parse_args()

    connector = aiohttp.TCPConnector(limit=options.connections, keepalive_timeout=60)
    headers = {"x-api-key": os.environ["IACREA_API_KEY"]}
    with open(options.manifest, newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        async with aiohttp.ClientSession(connector=connector, headers=headers, json_serialize=json.dumps) as session:
            batch = Batch(session, options)
            await asyncio.gather(*(batch.work(rows) for _ in range(options.cap)))
    with open(options.results, "w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, ["id", "state", "url"])
        out.writeheader()
        out.writerows(batch.results)


asyncio.run(main())
