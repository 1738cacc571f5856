// SPDX-License-Identifier: Apache-2.0
// Tags from names.
#include "training/log/run_events.h"

#include <chrono>
#include <vector>

#include <nlohmann/json.hpp>

namespace imprint::training {
namespace {

using nlohmann::json;

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

void add_experts(const json& layers, const std::string& tag, std::vector<EventFile::Scalar>& values)
{
    for (size_t layer = 0; layer < layers.size(); ++layer)
        for (size_t expert = 0; layers[layer].is_array() && expert < layers[layer].size(); ++expert)
            if (layers[layer][expert].is_number())
                values.emplace_back(tag + "/layer " + std::to_string(layer + 1) + "/expert " + std::to_string(expert + 1),
                                    layers[layer][expert].get<double>());
}

}  // namespace

RunEvents::RunEvents(const std::filesystem::path& folder, int64_t first_step) : file_(folder, first_step, now()) { }

void RunEvents::add(const json& line)
{
    const std::string objective = line.contains("objective") ? "/" + line["objective"].get<std::string>() : std::string();
    std::vector<EventFile::Scalar> values;
    for (const auto& [name, value] : line.items()) {
        if (name == "step")
            continue;
        const std::string tag = name == "rate" ? name : name + objective;
        if (value.is_number())
            values.emplace_back(tag, value.get<double>());
        else if (value.is_object())
            for (const auto& [figure, inner] : value.items()) {
                if (inner.is_number())
                    values.emplace_back(name + "/" + figure, inner.get<double>());
            }
        else if (value.is_array() && name == "expert_use")
            add_experts(value, tag, values);
    }
    file_.scalars(line.at("step").get<int64_t>(), values, now());
}

void RunEvents::recipe(const json& recipe)
{
    std::string text =
        "    " + recipe.dump(1, ' ', false, json::error_handler_t::replace);  // indented: Markdown shows it as it is
    for (size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 5)
        text.insert(at + 1, "    ");
    file_.text(0, "recipe", text, now());
}

}  // namespace imprint::training
