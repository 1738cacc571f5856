// SPDX-License-Identifier: Apache-2.0
// What the shipped lexicon says of what people type, and what a query becomes by it.
#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <fstream>
#include <numeric>
#include <random>

#include "core/base/error.h"
#include "core/lexicon.h"
#include "tests/support/tiny_checkpoint.h"

using namespace imprint;

namespace {

const Lexicon& shipped()
{
    static const Lexicon lexicon(IMPRINT_SOURCE_DIR "/resources/lexicon");
    return lexicon;
}

Encoder& shipped_model()
{
    static Encoder encoder(IMPRINT_SOURCE_DIR "/resources/models/imprint-small.safetensors", {"cpu", "fp32", 1});
    return encoder;
}

}  // namespace

class TestLexicon : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void a_noun_is_found_as_people_type_it_data()
    {
        QTest::addColumn<QString>("typed");
        QTest::addColumn<QString>("meant");
        QTest::newRow("as it is") << "dog"
                                  << "dog";
        QTest::newRow("with an article") << "a dog"
                                         << "dog";
        QTest::newRow("in capitals") << "The DOG"
                                     << "dog";
        QTest::newRow("with spaces around") << "  dog \n"
                                            << "dog";
        QTest::newRow("plural in s") << "dogs"
                                     << "dog";
        QTest::newRow("plural in es") << "churches"
                                      << "church";
        QTest::newRow("plural in ies") << "cherries"
                                       << "cherry";
        QTest::newRow("plural in ves") << "wolves"
                                       << "wolf";
        QTest::newRow("plural in ves of fe") << "knives"
                                             << "knife";
        QTest::newRow("irregular plural") << "women"
                                          << "woman";
        QTest::newRow("a compound's plural") << "washing machines"
                                             << "washing machine";
        QTest::newRow("a hyphen left out") << "hot air balloon"
                                           << "hot-air balloon";
        QTest::newRow("a sense in lower case before a name") << "crane"
                                                             << "crane";
        QTest::newRow("a name of one thing") << "eiffel tower"
                                             << "Eiffel Tower";
    }
    void a_noun_is_found_as_people_type_it()
    {
        QFETCH(QString, typed);
        QFETCH(QString, meant);
        const std::string_view gloss = shipped().gloss(typed.toStdString());
        QVERIFY2(gloss.starts_with(meant.toStdString() + ": "), std::string(gloss).c_str());
    }

    void a_well_known_name_means_its_kind_data()
    {
        QTest::addColumn<QString>("typed");
        QTest::addColumn<QString>("kind");
        QTest::newRow("in capitals") << "Burj Khalifa"
                                     << "skyscraper";
        QTest::newRow("with an article") << "the golden temple"
                                         << "golden temple on water";
        QTest::newRow("with accents") << "sacré-cœur"
                                      << "white domed church";
        QTest::newRow("without accents or hyphen") << "sacre coeur"
                                                   << "white domed church";
    }
    void a_well_known_name_means_its_kind()
    {
        QFETCH(QString, typed);
        QFETCH(QString, kind);
        QCOMPARE(std::string(shipped().gloss(typed.toStdString())), kind.toStdString());
    }

    void of_a_word_in_both_lists_the_noun_counts()
    {
        const QTemporaryDir folder;
        std::ofstream(folder.filePath("nouns.tsv").toStdString()) << "ant\tant: small\ncat\tcat: soft\n";
        std::ofstream(folder.filePath("names.tsv").toStdString()) << "big ben\tclock tower\ncat\tmusical\n";
        const Lexicon lexicon(folder.path().toStdString());
        QCOMPARE(std::string(lexicon.gloss("cat")), std::string("cat: soft"));
        QCOMPARE(std::string(lexicon.gloss("Big Ben")), std::string("clock tower"));
        QCOMPARE(std::string(lexicon.gloss("ants")), std::string("ant: small"));
    }

    void what_names_no_single_thing_has_no_gloss_data()
    {
        QTest::addColumn<QString>("typed");
        for (const char* typed : {"", " ", "a ", "qwlkfj", "a dog on the beach", "dog\tdog", "s", "\xff\xfe", "собака"})
            QTest::newRow(qPrintable(QString("'%1'").arg(typed))) << QString(typed);
    }
    void what_names_no_single_thing_has_no_gloss()
    {
        QFETCH(QString, typed);
        QVERIFY(shipped().gloss(typed.toStdString()).empty());
    }

    void a_query_leans_to_its_meaning_and_keeps_its_length()
    {
        const QTemporaryDir folder;
        Encoder encoder(tests::make_tiny_checkpoint(folder.path().toStdString()), {"cpu", "fp32", 1});
        const std::vector<std::string> asked = {"a dog", "two of them at night", "cats"};
        const Vectors plain = encoder.encode_texts(asked), told = encode_queries(encoder, shipped(), asked);
        QCOMPARE(told.count(), 3);
        const Vectors meanings = encoder.encode_texts(
            std::vector<std::string>{std::string(shipped().gloss("dog")), std::string(shipped().gloss("cat"))});
        const auto row_of = [](const Vectors& vectors, int row) {
            return std::vector<float>(vectors.row(row).begin(), vectors.row(row).end());
        };
        QCOMPARE(row_of(told, 1), row_of(plain, 1));  // nothing to tell
        for (const auto& [query, meaning] : {std::pair(0, 0), std::pair(2, 1)}) {
            std::vector<double> wanted(static_cast<size_t>(plain.dim));
            double squares = 0;
            for (size_t d = 0; d < wanted.size(); ++d) {
                wanted[d] = plain.row(query)[d] + 0.3 * meanings.row(meaning)[d];
                squares += wanted[d] * wanted[d];
            }
            for (size_t d = 0; d < wanted.size(); ++d)
                QVERIFY(std::abs(told.row(query)[d] - wanted[d] / std::sqrt(squares)) < 1e-6);
        }
    }

    void a_word_is_known_however_it_is_inflected_data()
    {
        QTest::addColumn<QString>("word");
        QTest::addColumn<bool>("known");
        for (const char* word : {"dog", "dogs", "children", "running", "kissing", "moving", "stopped", "played", "cried",
                                 "player", "largest", "quickly", "with", "the", "released"})
            QTest::newRow(word) << QString(word) << true;
        for (const char* word : {"qwlkfj", "ing", "zzptking", "tyoteeq", "собака", ""})
            QTest::newRow(qPrintable(QString("'%1'").arg(word))) << QString(word) << false;
    }
    void a_word_is_known_however_it_is_inflected()
    {
        QFETCH(QString, word);
        QFETCH(bool, known);
        QCOMPARE(shipped().knows(word.toStdString()), known);
    }

    void a_slip_is_read_as_the_word_that_was_meant_data()
    {
        QTest::addColumn<QString>("typed");
        QTest::addColumn<QString>("meant");
        const auto row = [](const char* name, const char* typed, const char* meant) {
            QTest::newRow(name) << QString(typed) << QString(meant);
        };
        row("the ear", "elefant", "elephant");
        row("a doubled letter once", "girafe", "giraffe");
        row("a letter doubled", "motorrcycle", "motorcycle");
        row("a letter changed, and one doubled", "accordian", "accordion");
        row("a letter left out", "dophin", "dolphin");
        row("neighbours swapped", "hosre", "horse");
        row("rather a letter left out than one changed", "monky", "monkey");
        row("rather what names something", "tiget", "tiger");
        row("the first letter", "wlephant", "elephant");
        row("a plural", "acordions", "accordion");
        row("what is known", "elephant", "");
        row("what is known, inflected", "kissing", "");
        row("a short word", "dgo", "");
        row("two slips", "mutorcicle", "");
        row("a number in it", "elefant2", "");
        row("noise", "qwlkfj", "");
        row("letters that nobody has", "собака", "");
        row("nothing", "", "");
    }
    void a_slip_is_read_as_the_word_that_was_meant()
    {
        QFETCH(QString, typed);
        QTEST(QString::fromStdString(shipped().meant(typed.toStdString())), "meant");
    }

    void a_text_keeps_all_but_its_slips_data()
    {
        QTest::addColumn<QString>("typed");
        QTest::addColumn<QString>("read");
        QTest::addColumn<int>("slips");
        QTest::newRow("none") << "Two dogs, RUNNING"
                              << "Two dogs, RUNNING" << 0;
        QTest::newRow("one") << "an Elefant at night"
                             << "an elephant at night" << 1;
        QTest::newRow("two") << "girafe+elefant!"
                             << "giraffe+elephant!" << 2;
        QTest::newRow("what the library has") << "Zeebra and elefant"
                                              << "Zeebra and elephant" << 1;
        QTest::newRow("what the model has pieces for") << "selfie"
                                                       << "selfie" << 0;
        QTest::newRow("nothing") << ""
                                 << "" << 0;
    }
    void a_text_keeps_all_but_its_slips()
    {
        QFETCH(QString, typed);
        QFETCH(int, slips);
        std::string text = typed.toStdString();
        const auto read = respell(shipped_model(), shipped(), text, [](const std::string& word) { return word == "zeebra"; });
        QTEST(QString::fromStdString(text), "read");
        QCOMPARE(static_cast<int>(read.size()), slips);
        for (const Respelling& word : read)
            QVERIFY(typed.contains(QString::fromStdString(word.typed)) && text.find(word.read) != std::string::npos);
    }

    void a_word_known_elsewhere_is_no_gibberish()
    {
        const auto in_the_library = [](const std::string& word) { return word == "zzptk"; };
        QVERIFY(is_gibberish(shipped_model(), shipped(), "Zzptk"));
        QVERIFY(!is_gibberish(shipped_model(), shipped(), "Zzptk", in_the_library));
        QVERIFY(is_gibberish(shipped_model(), shipped(), "qwlkfj", in_the_library));
    }

    void a_word_takes_as_many_pieces_as_the_model_must_spell_data()
    {
        QTest::addColumn<QString>("word");
        QTest::addColumn<int>("least");
        QTest::addColumn<int>("most");
        QTest::newRow("a common word") << "dog" << 1 << 1;
        QTest::newRow("an accent") << "café" << 1 << 1;
        QTest::newRow("nothing") << "" << 0 << 0;
        QTest::newRow("noise") << "qwlkfj" << 3 << 6;
        QTest::newRow("letters that it has no piece for") << "собака" << 12 << 12;
        QTest::newRow("a sign that it has no piece for") << "🐶" << 2 << 2;
    }
    void a_word_takes_as_many_pieces_as_the_model_must_spell()
    {
        QFETCH(QString, word);
        QFETCH(int, least);
        QFETCH(int, most);
        const int pieces = shipped_model().pieces(word.toStdString());
        QVERIFY2(pieces >= least && pieces <= most, qPrintable(QString::number(pieces)));
    }

    void gibberish_is_told_from_what_people_ask_for_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<bool>("gibberish");
        for (const char* text : {"qwlkfj zzptk", "pwralkvzyb", "a qwlkfj", "tyoteeq cxvbzxcm", "собака", "?!", "", " - ", "q",
                                 "7", "🐶", "犬", "elefant"})
            QTest::newRow(qPrintable(QString("'%1'").arg(text))) << QString(text) << true;
        for (const char* text : {"dog", "Two dogs RUNNING", "a red car at night", "zebra qwlkfj", "something moving to the left",
                                 "grandma's birthday", "café", "x-ray", "5 dogs", "komodo dragon", "xylophone", "spaghetti"})
            QTest::newRow(text) << QString(text) << false;
    }
    void gibberish_is_told_from_what_people_ask_for()
    {
        QFETCH(QString, text);
        QFETCH(bool, gibberish);
        QCOMPARE(is_gibberish(shipped_model(), shipped(), text.toStdString()), gibberish);
    }

    void what_speaks_of_sound_is_told_from_what_does_not_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<bool>("heard");
        for (const char* text :
             {"thunder", "violin", "music", "a dog barking", "people laughing", "Church BELLS", "the sound of rain", "voices"})
            QTest::newRow(text) << QString(text) << true;
        for (const char* text : {"vehicle", "food", "a dog", "a tower at night", "qwlkfj", ""})
            QTest::newRow(qPrintable(QString("'%1'").arg(text))) << QString(text) << false;
    }
    void what_speaks_of_sound_is_told_from_what_does_not()
    {
        QFETCH(QString, text);
        QTEST(speaks_of_sound(shipped(), text.toStdString()), "heard");
    }

    void random_words_are_gibberish_and_names_of_things_are_not()
    {
        static constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz", kConsonants[] = "bdfgklmnprstvz", kVowels[] = "aeiou";
        std::mt19937 random(20);
        const auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
        int found = 0;
        for (int i = 0; i < 400; ++i) {
            std::string text;
            for (size_t words = 1 + below(3); words > 0; --words) {
                for (size_t left = 2 + below(3); left > 0; --left) {
                    text += i % 2 ? kConsonants[below(14)] : kLetters[below(26)];
                    text += i % 2 ? kVowels[below(5)] : kLetters[below(26)];
                }
                text += words > 1 ? " " : "";
            }
            found += is_gibberish(shipped_model(), shipped(), text) ? 1 : 0;
        }
        QVERIFY2(found >= 370, qPrintable(QString::number(found)));

        std::ifstream lexicon(IMPRINT_SOURCE_DIR "/resources/lexicon/nouns.tsv");
        int asked = 0, lost = 0;
        for (std::string line; std::getline(lexicon, line); ++asked)
            lost += is_gibberish(shipped_model(), shipped(), line.substr(0, line.find('\t')) + "s") ? 1 : 0;
        QVERIFY(asked > 20'000);
        QVERIFY2(lost * 200 < asked, qPrintable(QString::number(lost)));
    }

    void nothing_asked_is_nothing_told()
    {
        const QTemporaryDir folder;
        Encoder encoder(tests::make_tiny_checkpoint(folder.path().toStdString()), {"cpu", "fp32", 1});
        QCOMPARE(encode_queries(encoder, shipped(), {}).count(), 0);
    }

    void a_damaged_list_is_refused_with_its_line_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<int>("line");
        QTest::newRow("no tab") << QByteArray("ant\tant: small\nbee\n") << 2;
        QTest::newRow("no word") << QByteArray("\tant: small\n") << 1;
        QTest::newRow("no gloss") << QByteArray("ant\tant: small\nbee\t\n") << 2;
        QTest::newRow("an empty line") << QByteArray("ant\tant: small\n\nbee\tbee: flies\n") << 2;
        QTest::newRow("out of order") << QByteArray("bee\tbee: flies\nant\tant: small\n") << 2;
        QTest::newRow("a word twice") << QByteArray("ant\tant: small\nant\tant: large\n") << 2;
    }
    void a_damaged_list_is_refused_with_its_line()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(int, line);
        for (const char* damaged : {"nouns.tsv", "names.tsv"}) {
            const QTemporaryDir folder;
            std::ofstream(folder.filePath("nouns.tsv").toStdString()) << "bat\tbat: flies\n";
            const std::string file = folder.filePath(damaged).toStdString();
            std::ofstream(file, std::ios::binary).write(bytes.constData(), bytes.size());
            try {
                Lexicon lexicon(folder.path().toStdString());
                QFAIL("accepted");
            } catch (const Error& error) {
                QCOMPARE(error.kind(), ErrorKind::Malformed);
                QCOMPARE(error.subject(), file + ":" + std::to_string(line));
            }
        }
    }

    void a_missing_list_is_named()
    {
        try {
            Lexicon lexicon("/nowhere");
            QFAIL("accepted");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::NotFound);
            QCOMPARE(error.subject(), std::string("/nowhere/nouns.tsv"));
        }
    }
};

QTEST_APPLESS_MAIN(TestLexicon)
#include "tst_lexicon.moc"
