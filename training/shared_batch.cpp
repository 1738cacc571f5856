// SPDX-License-Identifier: Apache-2.0
#include "training/shared_batch.h"

#include <algorithm>
#include <cstring>

#include <nlohmann/json.hpp>

namespace imprint::training {
namespace {

using nlohmann::json;

// CBOR: texts need not be UTF-8, and floats keep their bits.
std::string packed(const json& value)
{
    const auto bytes = json::to_cbor(value);
    return {bytes.begin(), bytes.end()};
}

json told(const Example& example)
{
    std::vector<uint8_t> teacher(example.teacher.size() * sizeof(float));
    std::memcpy(teacher.data(), example.teacher.data(), teacher.size());
    return {example.name, example.sample, example.label, example.texts, json::binary(std::move(teacher))};
}

void take(Example& example, const json& told)
{
    example.name = told.at(0).get<std::string>();
    example.sample = told.at(1).get<int64_t>();
    example.label = told.at(2).get<int>();
    example.texts = told.at(3).get<std::vector<std::string>>();
    const auto& teacher = told.at(4).get_binary();
    example.teacher.resize(teacher.size() / sizeof(float));
    std::memcpy(example.teacher.data(), teacher.data(), teacher.size());
}

}  // namespace

ItemRange items_of(const PassList::Share& share, int64_t batch, int64_t each)
{
    const int64_t first = share.begin(batch * each, share.rank) / each,
                  end = (share.begin(batch * each, share.rank + 1) + each - 1) / each;
    return end > first ? ItemRange{first, end} : ItemRange{std::min(first, batch - 1), std::min(first, batch - 1) + 1};
}

void complete_batch(Batch& batch, const BatchReader& reader, const Ranks& ranks)
{
    if (ranks.world() == 1)
        return;
    const ItemRange own = batch.own();
    json examples = json::array();
    for (int64_t i = own.first; i < own.end; ++i)
        examples.push_back(told(batch.examples[static_cast<size_t>(i)]));
    const auto all = ranks.tell(packed({{"first", own.first}, {"examples", examples}, {"unreadable", reader.news()}}));
    for (const std::string& text : all) {
        const json rank = json::from_cbor(text.begin(), text.end());
        reader.learn(rank.at("unreadable"));
        auto item = static_cast<size_t>(rank.at("first").get<int64_t>());
        for (const json& example : rank.at("examples")) {
            if (static_cast<int64_t>(item) < own.first || static_cast<int64_t>(item) >= own.end)
                take(batch.examples.at(item), example);
            ++item;
        }
    }
}

}  // namespace imprint::training
