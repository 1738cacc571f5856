// SPDX-License-Identifier: Apache-2.0
// TOML in, a checked label set out.
#include "app/jobs/label_set.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <fstream>
#include <sstream>

#include "app/jobs/resources.h"
#include "core/base/error.h"
#include "training/recipe_table.h"

namespace imprint::jobs {
namespace {

namespace fs = std::filesystem;

struct Line {
    std::string parent;
    int64_t at = 0;  ///< where the label's table begins
};

[[noreturn]] void refuse(const fs::path& file, int64_t line, const std::string& reason, const std::string& remedy)
{
    throw Error(ErrorKind::Malformed, file.string() + ":" + std::to_string(line), reason, remedy);
}

/// Without the blanks around it, which nobody sees.
std::string trimmed(const std::string& text)
{
    constexpr const char* kBlank = " \t\n\r";
    const size_t first = text.find_first_not_of(kBlank);
    return first == text.npos ? std::string() : text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::string folded(std::string text)
{
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

void refuse_empty(const training::RecipeTable& table, const char* key, const std::vector<std::string>& texts)
{
    if (std::any_of(texts.begin(), texts.end(), [](const std::string& text) { return trimmed(text).empty(); }))
        table.refuse(key, "holds an empty text: fill it in or take it out");
}

toml::table parsed(const fs::path& file)
{
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in)
        throw_errno(errno ? errno : EIO, file.string(), "read the label set");
    try {
        return toml::parse(text.str());
    } catch (const toml::parse_error& error) {
        refuse(file, error.source().begin.line, std::string(error.description()), "Correct the TOML");
    }
}

LabelClass read_class(const toml::table& node, const fs::path& file, Line& line)
{
    training::RecipeTable table(node, file.string(), "label");
    LabelClass label;
    line.at = node.source().begin.line;
    table.read("name", label.name);
    label.name = trimmed(label.name);
    refuse_empty(table, "name", {label.name});
    if (folded(label.name) == kNoneLabel)
        table.refuse("name", "is what a moment without a label is called; give sentences for it as none = […]");
    table.read_list("synonyms", label.synonyms);
    refuse_empty(table, "synonyms", label.synonyms);
    table.read_list("prompts", label.prompts);
    refuse_empty(table, "prompts", label.prompts);
    table.read("parent", line.parent);
    table.finish("a label");
    return label;
}

void link_parents(LabelSet& set, const fs::path& file, const std::vector<Line>& lines)
{
    for (size_t i = 0; i < set.classes.size(); ++i) {
        if (lines[i].parent.empty())
            continue;
        set.classes[i].parent = set.find(lines[i].parent);
        if (set.classes[i].parent < 0)
            refuse(file, lines[i].at,
                   "'" + set.classes[i].name + "' has the parent '" + lines[i].parent + "', which is no label here",
                   "Add a label of that name, or take the parent away");
    }
    for (size_t i = 0; i < set.classes.size(); ++i) {
        size_t steps = 0;
        for (int above = set.classes[i].parent; above >= 0; above = set.classes[static_cast<size_t>(above)].parent)
            if (++steps > set.classes.size() || above == static_cast<int>(i))
                refuse(file, lines[i].at, "the parents of '" + set.classes[i].name + "' lead round in a circle",
                       "Take one of the parents away");
    }
}

}  // namespace

int LabelSet::find(const std::string& label) const
{
    const auto found = std::find_if(classes.begin(), classes.end(), [&](const LabelClass& one) { return one.name == label; });
    return found == classes.end() ? -1 : static_cast<int>(found - classes.begin());
}

bool LabelSet::covers(int above, int label) const
{
    while (label >= 0 && label != above)
        label = classes[static_cast<size_t>(label)].parent;
    return label >= 0;
}

LabelSet read_label_set(const fs::path& file)
{
    const toml::table root = parsed(file);
    training::RecipeTable table(root, file.string(), "");
    LabelSet set;
    set.name = file.stem().string();
    table.read("name", set.name);
    refuse_empty(table, "name", {set.name});
    const size_t looks_at = table.read_word("looks_at", {"picture", "sound", "both"}, 0);
    if (looks_at != 1)
        set.looks_at.push_back(Modality::Picture);
    if (looks_at != 0)
        set.looks_at.push_back(Modality::Sound);
    table.read("several", set.several);
    table.read_list("none", set.none);
    refuse_empty(table, "none", set.none);
    std::string learned;
    table.read("learned", learned);
    if (!learned.empty()) {
        if (fs::path(learned).filename() != learned)
            table.refuse("learned", "must be the name of a file beside this one");
        if (set.several || !set.none.empty())
            table.refuse("learned",
                         "leaves no room for several labels or sentences for none: both were settled when it was learned");
        set.learned = file.parent_path() / learned;
    }

    const toml::node* list = table.take("label");
    if (list && !list->is_array_of_tables())
        table.refuse("label", "must be tables, as [[label]]");
    table.finish("a label set");
    if (!list)
        refuse(file, 1, "the set has no label", "Add at least one [[label]] with a name");
    std::vector<Line> lines;
    for (const toml::node& node : *list->as_array()) {
        LabelClass label = read_class(*node.as_table(), file, lines.emplace_back());
        for (size_t i = 0; i < set.classes.size(); ++i)
            if (folded(set.classes[i].name) == folded(label.name))
                refuse(file, lines.back().at,
                       "the label '" + label.name + "' is there already, in line " + std::to_string(lines[i].at),
                       "Give every label a name of its own");
        set.classes.push_back(std::move(label));
    }
    link_parents(set, file, lines);
    return set;
}

std::vector<fs::path> shipped_label_sets()
{
    std::vector<fs::path> files;
    for (const fs::directory_entry& entry : fs::directory_iterator(resource_folder("labels")))
        if (entry.path().extension() == ".toml")
            files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

fs::path find_label_set(const std::string& named)
{
    std::error_code ignored;
    if (fs::is_regular_file(named, ignored))
        return named;
    std::string known;
    for (const fs::path& file : shipped_label_sets()) {
        if (file.stem() == named)
            return file;
        known += (known.empty() ? "" : ", ") + file.stem().string();
    }
    throw Error(ErrorKind::NotFound, named, "there is no label set of this name", "Name a TOML file, or one of: " + known);
}

}  // namespace imprint::jobs
