// SPDX-License-Identifier: BSD-3-Clause
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static int depth(int n)
{
    std::string local(static_cast<size_t>(n), 'x');
    if (n == 0)
        throw std::runtime_error("bottom");
    return depth(n - 1) + static_cast<int>(local.size());
}

int main()
{
    std::map<int, std::string> results;
    std::vector<std::thread> threads;
    std::vector<std::string> caught(4);
    for (int i = 0; i < 4; i++)
        threads.emplace_back([i, &caught] {
            try {
                depth(10 * i);
            } catch (const std::exception &error) {
                caught[static_cast<size_t>(i)] = error.what();
            }
        });
    for (auto &thread : threads)
        thread.join();
    for (const auto &text : caught)
        std::cout << text << '\n';
    throw 7;
}
