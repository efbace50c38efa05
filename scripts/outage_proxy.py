"""A TCP proxy on the loopback address that makes a network as bad as one likes, in one direction or both."""

import asyncio
import contextlib
import threading


class Proxy:
    """`with Proxy(port) as proxy:` passes on what comes to `proxy.port`; its other attributes may be changed at any time."""

    def __init__(self, target):
        self.target = target
        self.port = None
        self.accepted = 0
        self.behave()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.writers = set()
        self.tasks = set()

    def behave(self):
        """Passes on everything at once from here on; what was swallowed stays so, and a connection that was dead stays dead."""
        self.delay = 0.0
        self.drips = False
        self.swallows = False

    def __enter__(self):
        self.thread.start()
        self.server = self._run(asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=512))
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_):
        self._run(self._close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def cut(self):
        """Resets every connection; returns how many there were."""
        return self._run(self._cut())

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    async def _close(self):
        self.server.close()
        await self._cut()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _cut(self):
        writers = list(self.writers)
        for writer in writers:
            writer.transport.abort()
        return len(writers) // 2

    async def _accept(self, client, to_client):
        self.accepted += 1
        task = asyncio.current_task()
        self.tasks.add(task)
        self.writers.add(to_client)
        try:
            server, to_server = await asyncio.open_connection("127.0.0.1", self.target)
            self.writers.add(to_server)
            line = Line()
            await asyncio.gather(self._pass(client, to_server, line), self._pass(server, to_client, line, is_answer=True))
            self.writers.discard(to_server)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            to_client.close()
            self.writers.discard(to_client)
            self.tasks.discard(task)

    async def _pass(self, reader, writer, line, is_answer=False):
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                line.is_dead = line.is_dead or self.swallows
                if line.is_dead:
                    continue
                await asyncio.sleep(self.delay)
                await self._write(writer, data, is_answer)
        # Whoever waits at a dead line must not hear that the server has gone; the server may learn that nobody waits any more.
        if not (line.is_dead and is_answer):
            writer.close()

    async def _write(self, writer, data, is_answer):
        while data and is_answer and self.drips and not writer.is_closing():
            writer.write(data[:1])
            data = data[1:]
            await asyncio.sleep(0.05)
        if not writer.is_closing():
            writer.write(data)
            await writer.drain()


class Line:
    """What both directions of a connection share."""

    is_dead = False
