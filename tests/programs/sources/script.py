# SPDX-License-Identifier: BSD-3-Clause
import collections
import hashlib
import json
import os
import re
import struct
import zlib

data = bytes(i * i % 251 for i in range(5000))
print(hashlib.sha256(data).hexdigest(), zlib.crc32(data))
print(collections.Counter(re.findall(r"\w", "mississippi")).most_common(3))
print(json.dumps({"pi": 3.14159, "list": [1, None, True]}, indent=1))
print(struct.pack("<dq", 1.5, -2).hex(), 2**200 % 10**9, 7**0.5)
print(sum(x * x for x in range(20000)), sorted(os.listdir(".")))
with open("out.txt", "w") as file:
    file.write("\n".join(str(i / 7) for i in range(100)))
