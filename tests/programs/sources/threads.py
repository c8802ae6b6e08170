# SPDX-License-Identifier: BSD-3-Clause
import queue
import threading

work, done = queue.Queue(), []
lock = threading.Lock()


def worker():
    while (item := work.get()) is not None:
        with lock:
            done.append(item * item)


threads = [threading.Thread(target=worker) for _ in range(4)]
for thread in threads:
    thread.start()
for item in range(200):
    work.put(item)
for _ in threads:
    work.put(None)
for thread in threads:
    thread.join()
print(sum(done), len(done))
