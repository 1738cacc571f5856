// SPDX-License-Identifier: Apache-2.0
// The grammar of the command line.
#include "app/cli/arguments.h"

#include <CLI/CLI.hpp>

namespace imprint::cli {
namespace {

/// An option that may be given several times, each time with one value: it never swallows the words behind it.
template <typename T>
CLI::Option* add_each(CLI::App& app, const std::string& name, std::vector<T>& values, const std::string& help)
{
    return app.add_option(name, values, help)->allow_extra_args(false)->take_all();
}

/// One that takes all words up to the next option, each time anew: `--not a church --not people` are two phrases.
CLI::Option* add_phrases(CLI::App& app, const std::string& name, std::vector<std::vector<std::string>>& values,
                         const std::string& help)
{
    return app.add_option(name, values, help);
}

/// CLI11's own names the largest double in its message, in 309 digits.
CLI::Validator not_negative()
{
    const auto fault = [](const std::string& text) {
        double value = 0;
        return CLI::detail::lexical_cast(text, value) && value >= 0 ? std::string() : text + " is no number of 0 or more";
    };
    return {fault, ""};
}

void add_common(CLI::App& app, Session& session)
{
    app.add_option("--library", session.engine.library, "Library folder")->type_name("DIR");
    app.add_option("--model", session.engine.checkpoint, "Checkpoint to use instead of the shipped one")->type_name("FILE");
    app.add_option("--device", session.engine.encoder.device, "auto, cpu or cuda[:N]")->type_name("DEVICE");
    app.add_option("--precision", session.engine.encoder.precision, "auto, fp32 or bf16")
        ->check(CLI::IsMember({"auto", "fp32", "bf16"}))
        ->type_name("KIND");
    app.add_flag("--json", session.json, "Print one JSON document");
}

/// A command whose parsed form is kept outside CLI11 until it is known which one was meant.
template <typename T>
CLI::App* add_command(CLI::App& parent, const std::string& name, const std::string& help, Session& session, T& command,
                      std::optional<Command>& chosen)
{
    CLI::App* app = parent.add_subcommand(name, help);
    add_common(*app, session);
    app->callback([&command, &chosen] { chosen = command; });
    return app;
}

/// Which files count.
void add_filters(CLI::App& app, SearchCommand& search)
{
    add_each(app, "--kind", search.kinds, "Only these kinds: image, video, audio")->delimiter(',')->type_name("KINDS");
    add_each(app, "--in", search.folders, "Only below this folder")->type_name("DIR");
    app.add_option("--after", search.after, "Taken on or after this date")->type_name("DATE");
    app.add_option("--before", search.before, "Taken before this date")->type_name("DATE");
    app.add_option("--longer", search.longer, "Lasting at least this long")->check(not_negative())->type_name("SECONDS");
    app.add_option("--shorter", search.shorter, "Lasting at most this long; a picture lasts no time")
        ->check(not_negative())
        ->type_name("SECONDS");
    add_each(app, "--label", search.labels, "Only what carries this label; several: all of them")->type_name("LABEL");
    app.add_option("--stars", search.stars, "Only what has at least so many stars")->check(CLI::Range(1, 5))->type_name("N");
}

/// What to look for, and where: shared by all commands that search.
void add_question(CLI::App& app, SearchCommand& search)
{
    app.add_option("TEXT", search.words, "Words: bare words are one phrase; \"a phrase\"*0.5 is a part with a weight");
    add_each(app, "--like", search.likes, "A picture, video or sound to be like")->type_name("FILE[@FROM-TO][*WEIGHT]");
    add_phrases(app, "--not", search.nots, "Words to stay away from, up to the next option")->type_name("TEXT[*WEIGHT]");
    add_each(app, "--unlike", search.unlikes, "A file to stay away from")->type_name("FILE[@FROM-TO][*WEIGHT]");
    add_each(app, "--more", search.more, "An answer that was right: more like it")->type_name("FILE[@FROM-TO]");
    add_each(app, "--less", search.less, "An answer that was wrong: less like it")->type_name("FILE[@FROM-TO]");
    add_each(app, "--concept", search.concepts, "A saved concept to be like")->type_name("NAME[*WEIGHT]");
    add_phrases(app, "--then", search.then, "Words for what follows in the same file, up to the next option")
        ->type_name("TEXT[*WEIGHT]");
    app.add_option("--within", search.within, "Seconds until it follows")
        ->check(not_negative())
        ->capture_default_str()
        ->type_name("SECONDS");
    app.add_option("--by", search.by, "Compare with picture, sound or both")
        ->check(CLI::IsMember({"picture", "sound", "both"}))
        ->type_name("MODALITY");
    app.add_option("-k", search.k, "Files wanted")->check(CLI::Range(1, 1'000'000))->type_name("N");
    add_filters(app, search);
    app.add_option("--sort", search.sort, "Show the found by relevance, date (newest first) or oldest")
        ->check(CLI::IsMember({"relevance", "date", "oldest"}))
        ->type_name("ORDER");
    app.add_flag("--all", search.all, "Also what is unlikely");
    app.add_flag("--literal", search.literal, "Read the words as typed, and correct no slips");
}

}  // namespace

Parsed parse(int argc, char** argv)
{
    Parsed parsed;
    Session& session = parsed.session;
    IndexCommand index;
    SearchCommand search;
    ExportCommand exported;
    LabelCommand label;
    ReviewCommand review;
    ConceptListCommand concept_list;
    ConceptDropCommand concept_drop;
    TagCommand tag;
    EmbedCommand embed;
    EvalCommand eval;
    TrainCommand train;
    FinetuneCommand finetune;
    ReportCommand report;
    ModelInfoCommand model_info;
    ModelUseCommand model_use;
    ModelCalibrateCommand calibrate;
    ModelUpcycleCommand upcycle;
    ModelMergeCommand merge;
    FailuresCommand failures;
    RelinkCommand relink;
    VerifyCommand verify;
    RepairCommand repair;
    DuplicatesCommand duplicates;
    BenchCommand bench;
    DoctorCommand doctor;

    CLI::App app("Imprint finds moments in your images, videos and sounds by meaning, on your own machine.", "imprint");
    app.set_version_flag("--version", "imprint " IMPRINT_VERSION);
    app.require_subcommand(1);
    app.footer("Exit codes: 0 done, 1 done with failures listed, 2 wrong usage, 3 cannot.\n"
               "Run 'imprint COMMAND --help' for a command's options.");

    CLI::App* sub = add_command(app, "index", "Add folders and files to the library", session, index, parsed.command);
    sub->add_option("PATH", index.paths, "Folders and files")->required();
    sub->add_flag("--watch", index.watch, "Go on and index what changes, until stopped; with --json one document a change");

    sub = add_command(app, "search", "Find moments by words or by example", session, search, parsed.command);
    add_question(*sub, search);
    sub->add_option("--save", search.save, "Keep this search as a concept of this name")->type_name("NAME");

    sub = add_command(app, "export", "Write what a search finds, or all labelled files, for other programs", session, exported,
                      parsed.command);
    add_question(*sub, exported.question);
    sub->add_option("--out", exported.out, "File to write; standard output when left out")->type_name("FILE");
    sub->add_option("--format", exported.format, "csv, jsonl, npy, edl, fcpxml, coco or vtt; by the file's name when left out")
        ->check(CLI::IsMember({"csv", "jsonl", "npy", "edl", "fcpxml", "coco", "vtt"}))
        ->type_name("FORMAT");
    sub->add_option("--clips", exported.clips, "Cut every span out into this folder, as files of their own")->type_name("DIR");
    sub->add_option("--frame-rate", exported.frame_rate, "Of the time codes of edl and fcpxml")
        ->check(CLI::Range(1, 120))
        ->capture_default_str()
        ->type_name("N");

    sub = add_command(app, "label", "Label moments without training; without --set, list the label sets that are there", session,
                      label, parsed.command);
    sub->add_option("--set", label.set, "A shipped or learned label set by name, or a TOML file")->type_name("LABELS");
    add_filters(*sub, label.where);
    sub->add_option("--confidence", label.confidence, "Abstain below this probability")
        ->check(CLI::Range(0.0, 1.0))
        ->capture_default_str()
        ->type_name("P");
    sub->add_flag("--apply", label.apply, "Keep the labels in the library, as guesses that a person's word replaces");
    sub->add_option("--out", label.out, "File to write the labels to")->type_name("FILE");
    sub->add_option("--format", label.format, "csv, jsonl, coco, vtt, edl or fcpxml; by the file's name when left out")
        ->check(CLI::IsMember({"csv", "jsonl", "coco", "vtt", "edl", "fcpxml"}))
        ->type_name("FORMAT");

    sub =
        add_command(app, "review", "Say which labels are right; tells how right the others are", session, review, parsed.command);
    sub->add_option("--set", review.set, "A shipped or learned label set by name, or a TOML file")
        ->required()
        ->type_name("LABELS");
    add_filters(*sub, review.where);
    add_each(*sub, "--say", review.say, "What a moment shows: a label of the set, or none")->type_name("FILE[@FROM-TO]=LABEL");
    add_each(*sub, "--undo", review.undo, "Take back what was said of a moment")->type_name("FILE[@FROM-TO]");
    sub->add_option("--count", review.count, "How many moments to list that are worth looking at next")
        ->check(CLI::Range(0, 10'000))
        ->capture_default_str()
        ->type_name("N");

    CLI::App* concepts = app.add_subcommand("concept", "Searches that were saved by name");
    concepts->require_subcommand(1);
    add_command(*concepts, "list", "List them", session, concept_list, parsed.command);
    sub = add_command(*concepts, "drop", "Forget one", session, concept_drop, parsed.command);
    sub->add_option("NAME", concept_drop.name, "Its name")->required();

    sub = add_command(app, "tag", "Give files labels and stars", session, tag, parsed.command);
    sub->add_option("FILE", tag.files, "Indexed files")->required();
    add_each(*sub, "--label", tag.add, "A label to give")->type_name("LABEL");
    add_each(*sub, "--unlabel", tag.remove, "A label to take away")->type_name("LABEL");
    sub->add_option("--stars", tag.stars, "1 to 5; 0 takes them away")->check(CLI::Range(0, 5))->type_name("N");

    sub = add_command(app, "embed", "Print vectors of texts and files", session, embed, parsed.command);
    add_each(*sub, "--text", embed.texts, "A text")->type_name("TEXT");
    sub->add_option("FILE", embed.files, "Files");
    sub->add_option("--npy", embed.npy, "Write the vectors as a NumPy file")->type_name("OUT");

    sub = add_command(app, "eval", "Measure a checkpoint on suites, beside its baselines", session, eval, parsed.command);
    sub->add_option("CHECKPOINT", eval.checkpoint, "Checkpoint")->required();
    sub->add_option("SUITE", eval.suites,
                    "Pools to measure on, or files (.toml) that name your own data; all pools when left out");
    sub->add_option("--against", eval.against, "Another checkpoint, compared sample by sample on suites that are files")
        ->type_name("CHECKPOINT");
    sub->add_option("--html", eval.html, "Also write a page with the figures and the failures as pictures")->type_name("OUT");
    sub->add_option("--corpus", eval.corpus, "Folder of the prepared corpus")->type_name("DIR");

    sub = add_command(app, "train", "Train by a recipe", session, train, parsed.command);
    sub->footer("Started as several processes (by torchrun --no-python -- imprint train ..., by srun, or with RANK, WORLD_SIZE,\n"
                "MASTER_ADDR and MASTER_PORT set) it trains one model on all of them. SIGTERM or Ctrl+C writes a state;\n"
                "--resume goes on from it.");
    sub->add_option("RECIPE", train.recipe, "Recipe")->required();
    sub->add_option("--run", train.run, "Folder in which the run lives")->type_name("DIR");
    sub->add_option("--steps", train.steps, "Stop after this many steps")->check(not_negative())->type_name("N");
    sub->add_flag("--resume", train.resume, "Go on from the run's last state");

    sub = add_command(app, "finetune", "Learn your own classes from a folder of labelled folders", session, finetune,
                      parsed.command);
    sub->footer("Writes a label set for 'imprint label' and, but for a probe, a checkpoint for 'imprint model use'. A fifth of "
                "the files\n"
                "is held out to tell how right the result is; a part of the old model's knowledge is measured before and after.");
    CLI::Option_group* examples = sub->add_option_group("what to learn from");
    examples->add_option("FOLDER", finetune.folder, "Folder that holds one folder of pictures, videos or sounds for each class");
    examples->add_option("--from-labels", finetune.from_labels, "The verdicts given under a label set, in the library")
        ->type_name("LABELS");
    examples->require_option(1);
    sub->add_option(
           "--mode", finetune.mode,
           "probe (a layer over the model as it is: seconds), lora (small matrices beside the model's: minutes), full (all "
           "weights), or auto: by how much there is to learn from")
        ->check(CLI::IsMember({"auto", "probe", "lora", "full"}))
        ->capture_default_str()
        ->type_name("MODE");
    sub->add_option("--out", finetune.out,
                    "Checkpoint to write; the label set lies beside it. In the library's folder when left out")
        ->type_name("FILE");
    sub->add_option("--blend", finetune.blend,
                    "Share of the new weights; chosen so that general search loses at most 2 points when left out")
        ->check(CLI::Range(0.0, 1.0))
        ->type_name("SHARE");
    sub->add_option("--steps", finetune.steps, "Steps of the network at most, in lora and full")
        ->check(CLI::Range(1, 1'000'000))
        ->type_name("N");
    sub->add_option("--seed", finetune.seed, "Of what is held out and of all that is random")
        ->capture_default_str()
        ->type_name("N");

    sub = add_command(app, "report", "Draw a training run's curves as one HTML page", session, report, parsed.command);
    sub->add_option("RUN", report.run, "Folder of the run")->required();
    sub->add_option("--out", report.out, "Where to write the page; report.html in the run's folder when left out")
        ->type_name("FILE");

    CLI::App* model = app.add_subcommand("model", "What a checkpoint or a configuration is");
    model->require_subcommand(1);
    sub = add_command(*model, "info", "Sizes, costs, configuration and provenance", session, model_info, parsed.command);
    CLI::Option_group* which = sub->add_option_group("of what");
    which->add_option("CHECKPOINT", model_info.checkpoint, "Checkpoint");
    which
        ->add_option("--config", model_info.config,
                     "A network by name, without weights: imprint-small, imp-s, imp-b, imp-l, "
                     "imp-moe-s, imp-moe-b, imp-moe-l and more")
        ->type_name("NAME");
    which->require_option(1);

    sub = add_command(*model, "use", "Switch the library to a checkpoint; the old model answers until all is read again", session,
                      model_use, parsed.command);
    sub->add_option("CHECKPOINT", model_use.checkpoint, "Checkpoint; the shipped one when left out");

    sub = add_command(*model, "calibrate", "Fit what scores mean under a checkpoint; kept in a file beside it", session,
                      calibrate, parsed.command);
    sub->footer("Needs the corpus that training/corpus prepares, and takes a few minutes. No vector changes.");
    sub->add_option("CHECKPOINT", calibrate.checkpoint, "Checkpoint")->required();
    sub->add_option("--corpus", calibrate.corpus, "Folder of the prepared corpus")->type_name("DIR");

    sub = add_command(*model, "upcycle", "Make a mixture of experts of a dense checkpoint", session, upcycle, parsed.command);
    sub->add_option("IN", upcycle.in, "Dense checkpoint")->required();
    sub->add_option("OUT", upcycle.out, "Checkpoint to write")->required();
    sub->add_option("--experts", upcycle.options.experts, "Experts per sparse block")->capture_default_str()->type_name("N");
    sub->add_option("--layers", upcycle.options.layers, "How many of the last blocks become sparse; half when left out")
        ->type_name("M");
    sub->add_option("--capacity", upcycle.options.capacity_factor, "Slots per token")->capture_default_str()->type_name("FACTOR");
    sub->add_option("--seed", upcycle.options.seed, "Of the routers")->capture_default_str()->type_name("N");
    sub->add_flag("--raw-gates", upcycle.raw_gates,
                  "Weigh experts by bare probability, as the paper does, not by their share of it");

    sub = add_command(*model, "merge", "Fold a checkpoint's adapters into its matrices", session, merge, parsed.command);
    sub->add_option("IN", merge.in, "Checkpoint with adapters")->required();
    sub->add_option("OUT", merge.out, "Checkpoint to write")->required();

    sub = add_command(app, "failures", "List the files that could not be read", session, failures, parsed.command);
    sub->add_flag("--retry", failures.retry, "Forget them and try them again now");

    sub = add_command(app, "relink", "Tell the library that a folder lies elsewhere now; nothing is read again", session, relink,
                      parsed.command);
    sub->add_option("OLD", relink.from, "Where it was")->required();
    sub->add_option("NEW", relink.to, "Where it is")->required();

    add_command(app, "verify", "Read the whole library once: every checksum, count and vector index", session, verify,
                parsed.command);
    add_command(app, "repair", "Make the library whole again; what cannot be believed is indexed anew next time", session, repair,
                parsed.command);

    add_command(app, "duplicates", "List files that show or sound the same", session, duplicates, parsed.command);

    sub = add_command(app, "bench", "Measure how well and how fast this library is searched", session, bench, parsed.command);
    sub->add_option("--items", bench.items, "Known items to ask for, of each kind")
        ->check(CLI::Range(1, 100'000))
        ->capture_default_str()
        ->type_name("N");

    add_command(app, "doctor", "Check this installation and the library", session, doctor, parsed.command);

    try {
        app.parse(argc, argv);
        if (std::holds_alternative<EmbedCommand>(*parsed.command) && embed.texts.empty() && embed.files.empty())
            throw CLI::ValidationError("embed", "give a FILE or --text");
    } catch (const CLI::ParseError& error) {
        parsed.command.reset();
        parsed.exit_code = app.exit(error) == 0 ? kDone : kUsage;
    }
    return parsed;
}

}  // namespace imprint::cli
