// SPDX-License-Identifier: Apache-2.0
#include "training/data/batch_reader.h"

#include <charconv>
#include <numeric>

#include "core/base/error.h"

namespace imprint::training {
namespace {

constexpr uint64_t kResolutionPurpose = 0x4e50, kSourcePurpose = 0x50c3;

}  // namespace

BatchReader::BatchReader(std::vector<Input> inputs, BatchOptions options, media::Decoder& decoder)
    : inputs_(std::move(inputs)), options_(std::move(options)), decoder_(decoder), shares_(options_.weights)
{
    IMPRINT_ASSERT(!inputs_.empty() && (shares_.empty() || shares_.size() == inputs_.size()));
    for (size_t i = 0; i < inputs_.size(); ++i) {
        const Source& source = *inputs_[i].source;
        const std::string subject = "the data set \"" + inputs_[i].dataset + "\"";
        if (options_.example.label && source.classes().empty())
            throw Error(ErrorKind::Usage, subject, "has no labels, and the objective " + options_.objective + " needs them",
                        "Name the label's column or part in the recipe");
        if (options_.example.label && source.classes() != classes())
            throw Error(ErrorKind::Usage, subject, "has other classes than \"" + inputs_.front().dataset + "\"",
                        "Give both the same list of classes");
        if (inputs_[i].teacher && inputs_[i].teacher->size() != source.size())
            throw Error(ErrorKind::Usage, subject,
                        "has " + std::to_string(source.size()) + " samples and its teacher "
                            + std::to_string(inputs_[i].teacher->size()) + " rows",
                        "Compute the teacher's features anew, one row per sample");
        if (options_.weights.empty())
            shares_.push_back(static_cast<double>(source.size()));
        readers_.push_back(std::make_unique<SampleReader>(
            source, ReaderOptions{options_.seed, options_.objective, options_.batch, options_.most_unreadable, options_.log}));
    }
    const double sum = std::accumulate(shares_.begin(), shares_.end(), 0.0);
    for (double& share : shares_)
        share /= sum;
}

ItemPlace BatchReader::place(int64_t draw, int64_t index) const
{
    return {options_.seed, objective_key(options_.objective), draw, index};
}

Resolution BatchReader::resolution(int64_t draw) const
{
    if (options_.resolutions.empty())
        return {};
    Draws draws = item_draws(place(draw, -1), kResolutionPurpose);
    return options_.resolutions[static_cast<size_t>(draws.below(static_cast<int64_t>(options_.resolutions.size())))];
}

size_t BatchReader::source_of(int64_t draw, int64_t index) const
{
    if (inputs_.size() == 1)
        return 0;
    double left = item_draws(place(draw, index), kSourcePurpose).uniform();
    for (size_t i = 0; i + 1 < shares_.size(); ++i) {
        if (left < shares_[i])
            return i;
        left -= shares_[i];
    }
    return shares_.size() - 1;
}

Example BatchReader::example(int64_t draw, int64_t index) const
{
    const size_t which = source_of(draw, index);
    const Input& input = inputs_[which];
    ExampleOptions options = options_.example;
    options.resolution = resolution(draw);
    options.templates = input.templates;
    Example example;
    const int64_t sample = readers_[which]->read(draw, index, [&](const Sample& found) {
        example = make_example(found, input.source->classes(), options, place(draw, index), decoder_, options_.cache);
    });
    example.sample = sample;
    if (input.teacher)
        example.teacher = std::get<Features>(input.teacher->sample(sample).media).values;
    return example;
}

Batch BatchReader::read(int64_t draw) const
{
    Batch batch{draw, resolution(draw), {}, {}};
    for (int64_t index = 0; index < options_.batch; ++index)
        batch.examples.push_back(example(draw, index));
    return batch;
}

nlohmann::json BatchReader::listed(const std::function<Found(SampleReader&)>& found) const
{
    nlohmann::json all = nlohmann::json::object();
    for (size_t i = 0; i < inputs_.size(); ++i)
        for (const auto& [sample, reason] : found(*readers_[i]))
            all[inputs_[i].dataset][std::to_string(sample)] = reason;
    return all;
}

void BatchReader::each_of(const nlohmann::json& listed, const std::function<void(SampleReader&, const Found&)>& take) const
{
    for (size_t i = 0; i < inputs_.size(); ++i) {
        const auto found = listed.find(inputs_[i].dataset);
        if (found == listed.end())
            continue;
        Found samples;
        for (const auto& [key, reason] : found->items()) {
            int64_t sample = -1;
            std::from_chars(key.data(), key.data() + key.size(), sample);
            samples.emplace(sample, reason.get<std::string>());
        }
        take(*readers_[i], samples);
    }
}

nlohmann::json BatchReader::unreadable() const
{
    return listed([](const SampleReader& reader) { return reader.unreadable(); });
}

void BatchReader::restore(const nlohmann::json& unreadable)
{
    each_of(unreadable, [](SampleReader& reader, const Found& samples) { reader.restore(samples); });
}

nlohmann::json BatchReader::news() const
{
    return listed([](SampleReader& reader) { return reader.news(); });
}

void BatchReader::learn(const nlohmann::json& unreadable) const
{
    each_of(unreadable, [](SampleReader& reader, const Found& samples) { reader.learn(samples); });
}

}  // namespace imprint::training
