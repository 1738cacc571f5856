// SPDX-License-Identifier: Apache-2.0
// `imprint embed`.
#include <cstdio>

#include "app/cli/commands.h"
#include "app/cli/output.h"

namespace imprint::cli {
namespace {

struct Item {
    std::filesystem::path input;  ///< the text or the file, as given
    index::Moment moment;
    bool is_file = false;
};

void print_rows(const std::vector<Item>& items, const Vectors& vectors, bool with_values)
{
    for (size_t i = 0; i < items.size(); ++i) {
        std::printf("%s\t%s", printable(items[i].input.native()).c_str(), clock_span(items[i].moment).c_str());
        if (with_values) {
            char separator = '\t';
            for (const float value : vectors.row(static_cast<int>(i))) {
                std::printf("%c%.7g", separator, static_cast<double>(value));
                separator = ' ';
            }
        }
        std::printf("\n");
    }
}

Json item_json(const Item& item, std::span<const float> vector)
{
    Json entry;
    put_path(entry, "input", item.input);
    entry["start"] = item.moment.start ? Json(*item.moment.start) : Json();
    entry["end"] = item.moment.end ? Json(*item.moment.end) : Json();
    if (item.is_file)
        entry["modality"] = modality_name(item.moment.modality);
    entry["vector"] = std::vector<float>(vector.begin(), vector.end());
    return entry;
}

}  // namespace

int run(const EmbedCommand& command, const Session& session)
{
    jobs::Engine engine(session.engine);
    Encoder& encoder = engine.encoder();
    std::vector<Item> items;
    Vectors vectors{encoder.dim(), {}};
    std::vector<index::Failure> failures;
    if (!command.texts.empty()) {
        vectors = encoder.encode_texts(command.texts);
        for (const std::string& text : command.texts)
            items.push_back({text, {}, false});
    }
    for (const std::filesystem::path& file : command.files) {
        try {
            const jobs::EmbeddedFile embedded = jobs::embed_file(engine, file, {}, {}, session.cancel);
            for (const index::Moment& moment : embedded.moments)
                items.push_back({file, moment, true});
            vectors.append(embedded.vectors.values);
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::Cancelled)
                throw;
            failures.push_back({file, error_kind_name(error.kind()), error.reason(), 0});
        }
    }
    if (!command.npy.empty())
        write_npy(command.npy, vectors);
    if (session.json) {
        Json document{{"space", encoder.space()}, {"dim", encoder.dim()}, {"items", Json::array()}};
        for (size_t i = 0; i < items.size(); ++i)
            document["items"].push_back(item_json(items[i], vectors.row(static_cast<int>(i))));
        if (!failures.empty())
            document["failed"] = failures_json(failures);
        print_json(document);
    } else {
        print_rows(items, vectors, command.npy.empty());
    }
    for (const index::Failure& failure : failures)
        print_problem(failure.path.native() + ": " + failure.reason);
    return failures.empty() ? kDone : kDoneWithFailures;
}

}  // namespace imprint::cli
