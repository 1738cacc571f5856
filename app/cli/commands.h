// SPDX-License-Identifier: Apache-2.0
// The commands as plain data, and what runs each. Results go to standard output, everything else to standard error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "app/jobs/jobs.h"
#include "core/base/cancel.h"
#include "core/model/conversion.h"

namespace imprint::cli {

/// What the program says when it ends.
enum ExitCode : int {
    kDone = 0,
    kDoneWithFailures = 1,  ///< all that could be done is done; the rest is listed
    kUsage = 2,
    kCannot = 3,
};

/// What every command gets.
struct Session {
    jobs::EngineOptions engine;
    bool json = false;
    CancelToken cancel;
};

struct IndexCommand {
    std::vector<std::filesystem::path> paths;
    bool watch = false;
};
struct SearchCommand {
    std::vector<std::string> words, likes, unlikes, kinds;
    std::vector<std::vector<std::string>> nots, then;  ///< each a phrase, as words are
    std::vector<std::filesystem::path> folders;
    std::vector<std::string> concepts, labels, more, less;
    std::string by = "both", after, before, sort = "relevance", save;
    std::optional<double> longer, shorter;
    double within = 10;
    int k = 50, stars = 0;
    bool all = false, literal = false;
};
struct ExportCommand {
    SearchCommand question;
    std::filesystem::path out, clips;
    std::string format;
    int frame_rate = 25;
};
struct LabelCommand {
    std::string set;  ///< empty: list the shipped sets
    SearchCommand where;
    std::filesystem::path out;
    std::string format;
    double confidence = 0.5;
    bool apply = false;
};
struct ReviewCommand {
    std::string set;
    SearchCommand where;
    std::vector<std::string> say;  ///< FILE[@FROM-TO]=LABEL
    std::vector<std::string> undo;
    int count = 20;
};
struct ConceptListCommand { };
struct ConceptDropCommand {
    std::string name;
};
struct TagCommand {
    std::vector<std::filesystem::path> files;
    std::vector<std::string> add, remove;
    std::optional<int> stars;
};
struct EmbedCommand {
    std::vector<std::string> texts;
    std::vector<std::filesystem::path> files;
    std::filesystem::path npy;
};
struct EvalCommand {
    std::filesystem::path checkpoint;
    std::vector<std::string> suites;  ///< empty: all
    std::filesystem::path corpus;     ///< empty: where the preparation puts it
    std::filesystem::path html;       ///< page with figures and failures to write; may be empty
    std::filesystem::path against;    ///< another checkpoint to compare with on suites that are files; may be empty
};
struct TrainCommand {
    std::filesystem::path recipe, run;
    std::optional<int64_t> steps;
    bool resume = false;
};
struct FinetuneCommand {
    std::filesystem::path folder;  ///< or
    std::string from_labels;
    std::filesystem::path out;
    std::string mode = "auto";
    std::optional<double> blend;
    int64_t steps = 160;  ///< of the network, at most
    uint64_t seed = 1;
};
struct ReportCommand {
    std::filesystem::path run, out;  ///< out empty: report.html in the run's folder
};
struct ModelInfoCommand {
    std::filesystem::path checkpoint;  ///< or
    std::string config;                ///< the name of a configuration
};
struct ModelUseCommand {
    std::filesystem::path checkpoint;  ///< empty: the shipped one
};
struct ModelCalibrateCommand {
    std::filesystem::path checkpoint;
    std::filesystem::path corpus;  ///< empty: where the preparation puts it
};
struct ModelUpcycleCommand {
    std::filesystem::path in, out;
    model::UpcycleOptions options;
    bool raw_gates = false;
};
struct ModelMergeCommand {
    std::filesystem::path in, out;
};
struct FailuresCommand {
    bool retry = false;
};
struct RelinkCommand {
    std::filesystem::path from, to;
};
struct VerifyCommand { };
struct RepairCommand { };
struct DuplicatesCommand { };
struct BenchCommand {
    int items = 100;
};
struct DoctorCommand { };

using Command = std::variant<IndexCommand, SearchCommand, EmbedCommand, EvalCommand, TrainCommand, FinetuneCommand, ReportCommand,
                             ModelInfoCommand, ModelUseCommand, ModelCalibrateCommand, ModelUpcycleCommand, ModelMergeCommand, FailuresCommand,
                             RelinkCommand, VerifyCommand, RepairCommand, ExportCommand, LabelCommand, ReviewCommand,
                             ConceptListCommand, ConceptDropCommand, TagCommand, DuplicatesCommand, BenchCommand, DoctorCommand>;

int run(const IndexCommand& command, const Session& session);
int run(const SearchCommand& command, const Session& session);
int run(const ExportCommand& command, const Session& session);
int run(const LabelCommand& command, const Session& session);
int run(const ReviewCommand& command, const Session& session);
int run(const ConceptListCommand& command, const Session& session);
int run(const ConceptDropCommand& command, const Session& session);
int run(const TagCommand& command, const Session& session);
int run(const EmbedCommand& command, const Session& session);
int run(const EvalCommand& command, const Session& session);
int run(const TrainCommand& command, const Session& session);
int run(const FinetuneCommand& command, const Session& session);
int run(const ReportCommand& command, const Session& session);
int run(const ModelInfoCommand& command, const Session& session);
int run(const ModelUseCommand& command, const Session& session);
int run(const ModelCalibrateCommand& command, const Session& session);
int run(const ModelUpcycleCommand& command, const Session& session);
int run(const ModelMergeCommand& command, const Session& session);
int run(const FailuresCommand& command, const Session& session);
int run(const RelinkCommand& command, const Session& session);
int run(const VerifyCommand& command, const Session& session);
int run(const RepairCommand& command, const Session& session);
int run(const DuplicatesCommand& command, const Session& session);
int run(const BenchCommand& command, const Session& session);
int run(const DoctorCommand& command, const Session& session);

/// What the options of a search ask for. Usage errors as jobs::search(), and for what is no kind or no date.
jobs::SearchRequest request_of(const SearchCommand& command);
/// Says on stderr which words were read as others.
void tell_respellings(const jobs::SearchResult& result);

/// The export format as named, else by the file's ending, else csv for standard output. Error(Usage).
std::string format_of(const std::filesystem::path& out, const std::string& named);

}  // namespace imprint::cli
