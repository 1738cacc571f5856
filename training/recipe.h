// SPDX-License-Identifier: Apache-2.0
// A recipe: one TOML file that says everything a run does.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/model/config.h"
#include "training/data/dataset.h"
#include "training/schedule.h"
#include "training/token_table.h"

namespace imprint::training {

enum class ObjectiveKind {
    // Over a prepared corpus, with the vectors of a sentence encoder.
    PictureText,   ///< NCE between pictures and captions, with the captions' teacher vectors as soft targets
    ClipText,      ///< the same over clips of two to four views of one picture
    FilmText,      ///< the same over films, their frames in order
    FilmMotion,    ///< which of the corpus's motions a film shows: cross-entropy over the texts that say each of them of its thing
    SoundText,     ///< the same over sounds
    SoundName,     ///< which of the labels that many sounds share a sound has: cross-entropy over the labels as texts
    PictureSound,  ///< NCE between pictures and sounds of the same thing
    TextText,      ///< NCE between paired texts (word and gloss, word and broader word)
    TextTeacher,   ///< distillation of the sentence encoder: its vectors and its similarities
    Concept,       ///< distillation of the concept vector on unlabelled photo crops
    // Over any data sets (training/objective.h says what each computes).
    Nce,             ///< contrast between modalities of a sample
    Classify,        ///< a linear classifier on one modality
    Distill,         ///< towards a teacher's vectors, or the frozen trunk's activations
    MaskedLanguage,  ///< hidden pieces of a text
};
const char* objective_name(ObjectiveKind kind);
bool on_corpus(ObjectiveKind kind);

/// What a classifier is held against.
enum class LabelLoss { Softmax, Sigmoid };

/// One entry of the mixture.
struct ObjectiveRecipe {
    ObjectiveKind kind = ObjectiveKind::PictureText;
    std::string name;      ///< in logs and in the seed of its draws; by default its kind
    double weight = 1;     ///< Sampling::Weighted: share of the steps; Policy::Accumulate: of the gradient
    int64_t interval = 1;  ///< Sampling::Interval: takes part in every so-manyth round
    int64_t batch = 128;   ///< items per step
    double cosine = 1.0;   ///< over a corpus, Distill: weight of 1 − cos to the target beside NCE
    double nce = 1.0;      ///< over a corpus, Distill: weight of the NCE part

    // Over a corpus.
    double keep = 1.0;        ///< share of the media's tokens that DropToken leaves; 0: the sounds' shortcut learns alone
    double composites = 0.3;  ///< PictureText, ClipText: share of draws taken from composites
    double views = 0.4;       ///< PictureText: share of draws that show a random crop
    /// Media against captions, motions and names: share of the steps whose texts are the teacher's vectors as they are, at no cost.
    /// The network's own texts take part in the others.
    double taught = 0;
    double gate = 0;  ///< PictureText, Concept, with a shortcut: weight of the gate's loss, which closes it on pairs and opens it on photos

    // Over data sets.
    std::vector<std::string> datasets;    ///< each item is drawn from one of them
    std::vector<double> dataset_weights;  ///< how often; empty: by their sizes
    double loss_weight = 1;               ///< of the loss, before objectives are added up
    std::vector<std::string> modalities;  ///< vision, sound, waveform, text; Nce: two or more, every pair is contrasted
    std::vector<Resolution> resolutions;  ///< vision: each step draws one
    int frame_stride = 2;                 ///< vision: frames of the source from one to the next
    double sound_seconds = 0;             ///< sound, waveform: the window; 0: the model's longest
    int clips = 1;                        ///< clips (and windows of sound) of a sample: MIL-NCE
    int captions = 1;                     ///< captions of a sample: MIL-NCE
    int text_tokens = 0;                  ///< cuts or pads texts to so many pieces; 0: natural lengths
    bool augment = true;                  ///< crops and colours as the method does
    double margin = 0;                    ///< Nce
    LabelLoss labels = LabelLoss::Softmax;
    double smoothing = 0;    ///< Classify
    std::string classifier;  ///< Classify, Distill from the trunk: one of model.classifiers
    std::string teacher;     ///< Distill: a data set of features, one row per sample of its own; or "trunk"
    double masked = 0.15;    ///< MaskedLanguage: share of the pieces

    /// Objectives with equal draws can share a batch under Policy::Combine.
    bool draws_like(const ObjectiveRecipe& other) const;
};

enum class Sampling { Weighted, Interval };
/// Alternate: each step is one objective (the paper). Combine: each step is one batch, of which all objectives that can read it
/// are computed. Accumulate: each step is every objective, whose gradients add up.
enum class Policy { Alternate, Combine, Accumulate };

/// What is measured while a run goes on, and by `imprint eval`.
enum class EvaluationKind {
    ZeroShot,   ///< classes by their names in many sentences
    Retrieval,  ///< between two modalities, both ways
    Probe,      ///< a linear classifier on the frozen pooled features
};
struct EvaluationRecipe {
    EvaluationKind kind = EvaluationKind::ZeroShot;
    std::string name;
    std::string dataset;
    std::string train_dataset;            ///< Probe: what the classifier learns from
    std::vector<std::string> modalities;  ///< ZeroShot, Probe: one; Retrieval: two
    Resolution resolution;                ///< vision; frames of 0: the model's first
    int clips = 1, captions = 1;
    double sound_seconds = 0;
    std::filesystem::path templates;  ///< ZeroShot
    int64_t most = 0;                 ///< only the first so many samples; 0: all
};

struct Recipe {
    std::filesystem::path corpus;   ///< empty: the default corpus folder
    std::filesystem::path initial;  ///< a checkpoint, or a state's model.safetensors, to go on from; empty: fresh weights
    uint64_t seed = 1;
    int64_t steps = 1000;         ///< 0: the model of `initial` is written anew, with this recipe's gate floor and background
    std::string device = "auto";  ///< auto, cpu or cuda[:N]; cuda is refused where there is none
    model::ModelConfig model;
    std::vector<ObjectiveRecipe> objectives;

    // Mixture.
    Sampling sampling = Sampling::Weighted;
    Policy policy = Policy::Alternate;

    // Data.
    std::vector<DatasetRecipe> datasets;
    std::vector<EvaluationRecipe> evaluations;
    std::filesystem::path tokenizer;  ///< a SentencePiece model, or a checkpoint that has one
    std::filesystem::path stem;       ///< a checkpoint whose trunk, class texts and statistics the hybrid stem and sound take
    int workers = 2;                  ///< threads (and decoder processes) that prepare batches; 0: one per processor
    int prefetch = 4;                 ///< steps that are prepared ahead
    int cache_mib = 0;                ///< of decoded media kept in memory, for data sets that fit there (training/data/sample_media.h)
    int64_t most_unreadable = 100;    ///< per objective and data set
    int views_per_picture = 3;        ///< corpus: random crops cached beside the whole picture
    double target_sharpness = 20;     ///< soft targets: softmax(sharpness · t·t′)
    /// How often distillation draws a text of each role: what people type looks like captions and words, not glosses.
    struct TextShares {
        double caption = 0.34, word = 0.28, prompt = 0.14, lemma = 0.12, gloss = 0.06, class_text = 0.06;
    } text_shares;

    // Optimiser (AdamW on matrices only) and schedule (pre-warm-up, warm-up, cosine to `final_rate`: training/schedule.h).
    double rate = 1e-3, final_rate = 1e-5;
    int64_t warmup = 100, pre_warmup = 0;
    double warmup_rate = -1;     ///< where the warm-up begins; below 0: one step's share of `rate`
    double pre_warmup_rate = 0;  ///< where the pre-warm-up begins, to fall to `warmup_rate`
    double beta1 = 0.9, beta2 = 0.99, epsilon = 1e-7, decay = 0.05, clip = 1.0;
    double z_loss = 1e-3;
    double average = 0;  ///< decay of the weights' moving average, which is what is evaluated and kept; 0: the weights themselves
    std::string precision = "auto";  ///< of products: fp32, bf16, or auto: bf16 where the processor multiplies it natively

    // Passes: batches are cut into passes of at most this many tokens, which the processor's cores share.
    int64_t pass_tokens = 2048;
    bool recompute_blocks = false;  ///< within a pass: memory is that of one block and of every block's input
    bool recompute = false;         ///< passes go forwards twice, and memory is that of one pass a core whatever the batch

    // Conduct.
    int64_t checkpoint_every = 200, evaluate_every = 200, log_every = 10;
    int keep_checkpoints = 3;
    bool eight_bit = false;  ///< the finished model's matrices are stored as 8-bit rows
    /// What is written: `blend` · learned + (1 − blend) · the weights of `blend_with`, or of `initial` where that is empty (one
    /// of them is wanted where the run begins). Between the two lie weights that know the new and have not lost the old (Wortsman
    /// et al. 2022, "WiSE-FT").
    double blend = 1;
    std::filesystem::path blend_with;
    /// Added to the bias of the gate of pictures in what is written: over 0, pictures lean more on the concept. Learned on drawings
    /// for the most part, the gate gives photographs too little of it, as photographs kept for choosing show.
    double gate_shift = 0;
    /// Only parameters whose names begin with one of these learn; all where it is empty.
    std::vector<std::string> learning;
    bool learns(const std::string& parameter) const
    {
        return learning.empty() || std::any_of(learning.begin(), learning.end(), [&](const std::string& part) {
                   return parameter.starts_with(part);
               });
    }
};

/// Reads and checks a recipe. Unknown keys, wrong types, impossible values and combinations that cannot be trained are
/// Error(Malformed) with the line. Relative paths of data sets, templates, tokenizer and stem start at the recipe's folder.
Recipe read_recipe(const std::filesystem::path& path);

/// The recipe over another number of steps. The schedule follows; warm-ups that would leave no step for the cosine keep their
/// share of the run instead of their length.
Recipe with_steps(Recipe recipe, int64_t steps);

/// The data sets and evaluations of a suite for `imprint eval`: a file with the tables [[dataset]] and [[evaluation]] of a
/// recipe, or a recipe. Fills `datasets` and `evaluations` alone; checks them against `model`.
Recipe read_suite(const std::filesystem::path& path, const model::ModelConfig& model);

/// The recipe as resolved, for the run's folder and a checkpoint's provenance.
nlohmann::json to_json(const Recipe& recipe);
/// The same as a recipe that reads as this one.
std::string to_toml(const Recipe& recipe);

/// The schedule that the optimiser's settings describe.
Schedule schedule_of(const Recipe& recipe);
double learning_rate(const Recipe& recipe, int64_t step);

/// $XDG_CACHE_HOME/imprint/corpus, else ~/.cache/imprint/corpus.
std::filesystem::path default_corpus();

}  // namespace imprint::training
