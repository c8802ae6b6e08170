// SPDX-License-Identifier: BSD-3-Clause
/*
 * Exceptions through frames and threads, futures, streams.
 *
 * guest-flags: -O1 -pthread
 */
#include <future>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

struct Guard {
    ~Guard()
    {
        std::cout << "unwound\n";
    }
};

static int deep(int n)
{
    Guard guard;

    if (!n)
        throw std::runtime_error("bottom");
    return deep(n - 1) + 1;
}

int main()
{
    try {
        deep(5);
    } catch (const std::exception &error) {
        std::cout << error.what() << "\n";
    }
    auto future = std::async(std::launch::async, [] { return deep(1); });
    try {
        future.get();
    } catch (const std::runtime_error &error) {
        std::cout << "from thread: " << error.what() << "\n";
    }
    std::map<std::string, int> counts;
    for (const char *word : {"a", "b", "a"})
        counts[word]++;
    for (const auto &[word, count] : counts)
        std::cout << word << count << "\n";
    std::vector<std::thread> threads;
    std::vector<int> results(4);
    for (int i = 0; i < 4; i++)
        threads.emplace_back([i, &results] { results[i] = i * i; });
    for (auto &thread : threads)
        thread.join();
    for (int result : results)
        std::cout << result << "\n";
    throw 5;
}
