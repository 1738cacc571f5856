// SPDX-License-Identifier: Apache-2.0
// metrics.jsonl to curves.
#include "training/log/run_metrics.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>

#include <toml++/toml.h>

#include "core/base/error.h"

namespace imprint::training {
namespace {

using nlohmann::json;

std::optional<ExpertUse> expert_use_of(const json& line)
{
    const auto found = line.find("expert_use");
    if (found == line.end() || !found->is_array() || found->empty())
        return {};
    ExpertUse use;
    for (const json& layer : *found) {
        if (!layer.is_array() || layer.empty()
            || !std::all_of(layer.begin(), layer.end(), [](const json& v) { return v.is_number(); }))
            return {};
        use.push_back(layer.get<std::vector<double>>());
    }
    return use;
}

/// The mean of the last quarter, as far as the lines agree in shape with the last one.
ExpertUse late_mean(const std::vector<ExpertUse>& all)
{
    ExpertUse sum = all.back();
    double count = 1;
    for (size_t i = all.size() - (all.size() + 3) / 4; i + 1 < all.size(); ++i) {
        const bool alike = all[i].size() == sum.size()
            && std::equal(sum.begin(), sum.end(), all[i].begin(),
                          [](const auto& a, const auto& b) { return a.size() == b.size(); });
        if (!alike)
            continue;
        for (size_t layer = 0; layer < sum.size(); ++layer)
            for (size_t expert = 0; expert < sum[layer].size(); ++expert)
                sum[layer][expert] += all[i][layer][expert];
        ++count;
    }
    for (auto& layer : sum)
        for (double& share : layer)
            share /= count;
    return sum;
}

std::map<std::string, double> batches_of(const json& recipe)
{
    std::map<std::string, double> batches;
    if (!recipe.is_object() || !recipe.contains("objective") || !recipe["objective"].is_array())
        return batches;
    for (const json& objective : recipe["objective"])
        if (objective.is_object() && objective.contains("batch") && objective["batch"].is_number())
            batches[objective.value("name", objective.value("kind", std::string()))] = objective["batch"].get<double>();
    return batches;
}

/// What a resume wrote anew differs in these, if only in how long the steps took.
constexpr size_t tail_bytes = 4096;

/// Null where there is none or it is damaged: curves can be drawn without it.
json read_toml(const std::filesystem::path& file)
{
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error))
        return nullptr;
    try {
        const toml::table table = toml::parse_file(file.string());
        std::ostringstream text;
        text << toml::json_formatter(table);
        const json parsed = json::parse(text.str(), nullptr, false);
        return parsed.is_discarded() ? json(nullptr) : parsed;
    } catch (const toml::parse_error&) {
        return nullptr;
    }
}

}  // namespace

class MetricsFollower::Reader {
public:
    explicit Reader(RunMetrics& metrics) : metrics_(metrics), batches_(batches_of(metrics.recipe)) { }

    void read(const json& line)
    {
        if (!line.is_object() || !line.contains("step") || !line["step"].is_number_integer()) {
            ++metrics_.damaged_lines;
            return;
        }
        const int64_t step = line["step"];
        const std::string objective =
            line.contains("objective") && line["objective"].is_string() ? line["objective"].get<std::string>() : std::string();
        for (const auto& [name, value] : line.items()) {
            if (name == "step" || name == "expert_use")
                continue;
            if (value.is_number())
                metrics_.steps[name][objective].emplace_back(step, value.get<double>());
            else if (value.is_object())
                for (const auto& [figure, inner] : value.items())
                    if (inner.is_number())
                        metrics_.evaluations[figure][name].emplace_back(step, inner.get<double>());
        }
        if (const auto use = expert_use_of(line))
            experts_[objective].push_back(*use);
        if (!line.contains("seconds") || !line["seconds"].is_number())
            return;
        const double seconds = line["seconds"];
        metrics_.seconds += seconds;
        if (metrics_.last_step < 0)
            metrics_.first_step = step;
        metrics_.last_step = std::max(metrics_.last_step, step);
        add_speed("samples/s", "samples", line, objective, step, seconds);
        add_speed("tokens/s", "tokens", line, objective, step, seconds);
    }

    void finish()
    {
        for (const auto& [objective, all] : experts_)
            metrics_.expert_use[objective] = late_mean(all);
    }

private:
    void add_speed(const char* name, const char* field, const json& line, const std::string& objective, int64_t step,
                   double seconds)
    {
        std::optional<double> amount;
        if (line.contains(field) && line[field].is_number())
            amount = line[field].get<double>();
        else if (const auto batch = batches_.find(objective); batch != batches_.end() && std::string(field) == "samples")
            amount = batch->second;
        if (amount && seconds > 0)
            metrics_.steps[name][objective].emplace_back(step, *amount / seconds);
    }

    RunMetrics& metrics_;
    std::map<std::string, double> batches_;
    std::map<std::string, std::vector<ExpertUse>> experts_;
};

MetricsFollower::MetricsFollower(std::filesystem::path run) : run_(std::move(run)) { begin(); }

MetricsFollower::~MetricsFollower() = default;

void MetricsFollower::begin()
{
    metrics_ = {};
    metrics_.name = std::filesystem::absolute(run_ / ".").parent_path().filename().string();
    metrics_.recipe = read_toml(run_ / "recipe.toml");
    reader_ = std::make_unique<Reader>(metrics_);
    behind_ = 0;
    tail_.clear();
}

bool MetricsFollower::cut_back() const
{
    std::ifstream in(run_ / "metrics.jsonl", std::ios::binary);
    std::string there(tail_.size(), '\0');
    in.seekg(static_cast<std::streamoff>(behind_ - tail_.size()));
    in.read(there.data(), static_cast<std::streamsize>(there.size()));
    return !in || there != tail_;
}

bool MetricsFollower::read()
{
    const bool cut = behind_ > 0 && cut_back();
    if (cut || (behind_ == 0 && metrics_.recipe.is_null()))
        begin();
    std::ifstream in(run_ / "metrics.jsonl", std::ios::binary);
    in.seekg(static_cast<std::streamoff>(behind_));
    std::string line;
    bool found = false;
    while (std::getline(in, line) && !in.eof()) {
        behind_ += line.size() + 1;
        if (!line.empty())
            reader_->read(json::parse(line, nullptr, false));
        tail_ += line + '\n';
        found = true;
    }
    tail_.erase(0, tail_.size() - std::min(tail_.size(), tail_bytes));
    if (found)
        reader_->finish();
    return found || cut;
}

RunMetrics read_run_metrics(const std::filesystem::path& run)
{
    const auto file = run / "metrics.jsonl";
    std::error_code unseen;
    if (!std::filesystem::exists(file, unseen))
        throw Error(ErrorKind::NotFound, file.string(), "there are no metrics of a run",
                    "Name the folder that `imprint train` wrote");
    MetricsFollower follower(run);
    follower.read();
    RunMetrics& metrics = follower.metrics_;
    std::ifstream in(file, std::ios::binary);
    in.seekg(static_cast<std::streamoff>(follower.behind_));
    if (std::string rest; std::getline(in, rest) && !rest.empty()) {
        follower.reader_->read(json::parse(rest, nullptr, false));
        follower.reader_->finish();
    }
    if (metrics.steps.empty() && metrics.evaluations.empty())
        throw Error(ErrorKind::Malformed, file.string(), "holds no metrics", "A run writes its first line after its first step");
    return std::move(metrics);
}

}  // namespace imprint::training
