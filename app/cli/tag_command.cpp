// SPDX-License-Identifier: Apache-2.0
// `imprint tag` and `imprint concept …`: what people keep of their own.
#include <cstdio>

#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "app/jobs/scan.h"

namespace imprint::cli {

int run(const TagCommand& command, const Session& session)
{
    const jobs::Engine engine(session.engine);
    index::Library library(engine.library_folder(), index::OpenMode::ReadWrite);
    Json files = Json::array();
    for (const std::filesystem::path& named : command.files) {
        session.cancel.check();
        const std::filesystem::path file = jobs::catalog_path(named);
        for (const std::string& label : command.remove)
            library.remove_label(file, label);
        for (const std::string& label : command.add) {
            if (label.empty())
                throw Error(ErrorKind::Usage, "--label", "a label needs a name");
            library.add_label(file, {label, {}, {}, false});
        }
        if (command.stars)
            library.rate(file, *command.stars);
        const auto row = library.find(file);
        if (!row)
            throw Error(ErrorKind::NotFound, file.native(), "the library does not hold this file", "Index it first");
        Json item;
        std::string line = printable(file.native()) + ": " + std::string(static_cast<size_t>(library.rating(row->id)), '*');
        put_path(item, "path", file);
        item["stars"] = library.rating(row->id);
        item["labels"] = Json::array();
        for (const index::Label& label : library.labels(row->id)) {
            item["labels"].push_back(label.name);
            line += " [" + printable(label.name) + "]";
        }
        if (!session.json)
            std::printf("%s\n", line.c_str());
        files.push_back(std::move(item));
    }
    if (session.json)
        print_json({{"files", std::move(files)}});
    return kDone;
}

int run(const ConceptListCommand&, const Session& session)
{
    const jobs::Engine engine(session.engine);
    const index::Library library(engine.library_folder(), index::OpenMode::ReadOnly);
    Json list = Json::array();
    for (const index::Concept& saved : library.concepts()) {
        list.push_back({{"name", saved.name}, {"space", saved.space}});
        if (!session.json)
            std::printf("%s\n", printable(saved.name).c_str());
    }
    if (session.json)
        print_json({{"concepts", std::move(list)}});
    return kDone;
}

int run(const ConceptDropCommand& command, const Session& session)
{
    const jobs::Engine engine(session.engine);
    if (!index::Library(engine.library_folder(), index::OpenMode::ReadWrite).drop_concept(command.name))
        throw Error(ErrorKind::NotFound, command.name, "no concept of this name is saved",
                    "List them with 'imprint concept list'");
    if (session.json)
        print_json({{"dropped", command.name}});
    return kDone;
}

}  // namespace imprint::cli
