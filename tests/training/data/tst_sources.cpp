// SPDX-License-Identifier: Apache-2.0
// Folders, manifests and cached features become the same samples; what is wrong with them is said with file, row and why.
#include <nlohmann/json.hpp>

#include "tests/training/data/files.h"
#include "training/data/corpus_source.h"
#include "training/data/csv.h"
#include "training/data/feature_source.h"
#include "training/data/folder_source.h"
#include "training/data/manifest_source.h"

using namespace imprint;
using namespace imprint::training;
using test::thrown;
using test::write;

namespace {

QString path_of(const Sample& sample) { return QString::fromStdString(std::get<std::filesystem::path>(sample.media).string()); }

template <typename T>
model::TensorView view(const std::vector<T>& values, std::vector<int64_t> shape, model::DType dtype)
{
    return {dtype, std::move(shape), std::as_bytes(std::span(values))};
}

}  // namespace

class TestSources : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void folders_are_classes()
    {
        QTemporaryDir dir;
        for (const char* name : {"owl/b.jpg", "owl/a.jpg", "cat/deep/er/c.png", "cat/.hidden.jpg", ".git/x.jpg", "readme.txt"})
            write(dir, name, "x");
        QVERIFY(QFile::link(dir.filePath("owl/a.jpg"), dir.filePath("cat/link.jpg")));
        const FolderSource source(dir.path().toStdString());
        QCOMPARE(source.classes(), (std::vector<std::string>{"cat", "owl"}));
        QStringList found;
        for (int64_t i = 0; i < source.size(); ++i)
            found << QDir(dir.path()).relativeFilePath(path_of(source.sample(i))) + "=" + QString::number(source.sample(i).label);
        QCOMPARE(found, (QStringList{"cat/deep/er/c.png=0", "owl/a.jpg=1", "owl/b.jpg=1"}));

        const FolderSource ordered(dir.path().toStdString(), {"owl", "cat"});
        QCOMPARE(ordered.sample(0).label, 1);
    }

    void folders_that_are_wrong_are_refused()
    {
        QTemporaryDir dir;
        const std::string root = dir.path().toStdString();
        QVERIFY(thrown([&] { FolderSource source(root); }).contains("has no class folders"));
        QVERIFY(thrown([&] { FolderSource source(root + "/none"); }).startsWith("not-found|"));
        write(dir, "owl/a.jpg", "x");
        QDir(dir.path()).mkdir("cat");
        QVERIFY(thrown([&] { FolderSource source(root); }).endsWith("the class \"cat\" has no sample"));
        QVERIFY(thrown([&] { FolderSource source(root, {"owl"}); }).startsWith("malformed|" + dir.filePath("cat")));
        QDir(dir.path()).rmdir("cat");
        QVERIFY(thrown([&] { FolderSource source(root, {"owl", "cat"}); }).endsWith("the class \"cat\" has no sample"));
        QVERIFY(thrown([&] { FolderSource source(root, {"owl", "owl"}); }).contains("listed twice"));
    }

    void fields_are_read_as_the_standard_writes_them_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QStringList>("rows");  // "line:field|field"
        QTest::newRow("plain") << QByteArray("a,b\n1,2\n") << QStringList{"1:a|b", "2:1|2"};
        QTest::newRow("no last line end") << QByteArray("a,b\n1,2") << QStringList{"1:a|b", "2:1|2"};
        QTest::newRow("CRLF, mark, empty lines") << QByteArray("\xef\xbb\xbf"
                                                               "a,b\r\n\r\n1,2\r\n")
                                                 << QStringList{"1:a|b", "3:1|2"};
        QTest::newRow("quotes") << QByteArray("a,\"b, \"\"c\"\"\nd\",e\n,\n") << QStringList{"1:a|b, \"c\"\nd|e", "3:|"};
        QTest::newRow("empty fields") << QByteArray("a,,\n\"\",x,\"\"\n") << QStringList{"1:a||", "2:|x|"};
    }
    void fields_are_read_as_the_standard_writes_them()
    {
        QFETCH(QByteArray, text);
        QStringList rows;
        for (const CsvRow& row : parse_csv(text.toStdString(), ',', "x.csv")) {
            QStringList fields;
            for (const std::string& field : row.fields)
                fields << QString::fromStdString(field);
            rows << QString::number(row.line) + ":" + fields.join('|');
        }
        QTEST(rows, "rows");
    }

    void both_kinds_of_manifest_give_the_same_samples_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("CSV") << "list.csv"
                             << QByteArray("split,path,caption,second,class\ntrain,a.jpg,\"a boat, red\",,boat\n"
                                           "test,b.jpg,x,,owl\ntrain,/abs/c.jpg,an owl,a bird,owl\n");
        QTest::newRow("TSV") << "list.tsv"
                             << QByteArray("split\tpath\tcaption\tsecond\tclass\ntrain\ta.jpg\ta boat, red\t\tboat\n"
                                           "test\tb.jpg\tx\t\towl\ntrain\t/abs/c.jpg\tan owl\ta bird\towl\n");
        QTest::newRow("JSON lines")
            << "list.jsonl"
            << QByteArray(
                   "{\"split\":\"train\",\"path\":\"a.jpg\",\"caption\":\"a boat, red\",\"second\":\"\",\"class\":\"boat\"}\n\n"
                   "{\"split\":\"test\",\"path\":\"b.jpg\",\"caption\":\"x\",\"second\":[],\"class\":\"owl\"}\n"
                   "{\"split\":\"train\",\"path\":\"/abs/c.jpg\",\"caption\":[\"an owl\",\"a "
                   "bird\"],\"second\":[],\"class\":1}\n");
    }
    void both_kinds_of_manifest_give_the_same_samples()
    {
        QFETCH(QString, name);
        QFETCH(QByteArray, text);
        QTemporaryDir dir;
        ManifestOptions options;
        options.text_columns = {"caption", "second"};
        options.label_column = "class";
        options.split = "train";
        options.classes = {"boat", "owl"};
        const ManifestSource source(write(dir, name, text), options);
        QCOMPARE(source.size(), 2);
        QCOMPARE(path_of(source.sample(0)), dir.filePath("a.jpg"));
        QCOMPARE(source.sample(0).texts, (std::vector<std::string>{"a boat, red"}));
        QCOMPARE(source.sample(0).label, 0);
        QCOMPARE(path_of(source.sample(1)), QString("/abs/c.jpg"));
        QCOMPARE(source.sample(1).texts, (std::vector<std::string>{"an owl", "a bird"}));
        QCOMPARE(source.sample(1).label, 1);
        QVERIFY(QString::fromStdString(source.sample(0).name).startsWith(dir.filePath(name) + ":"));
    }

    void a_manifest_needs_no_labels_splits_or_texts()
    {
        QTemporaryDir dir;
        const ManifestSource source(write(dir, "list.csv", "path\na.jpg\nb.jpg\n"), {});
        QCOMPARE(source.size(), 2);
        QCOMPARE(source.sample(1).label, -1);
        QVERIFY(source.classes().empty());
    }

    void a_manifest_that_is_wrong_is_refused_with_its_line_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("error");  // after the path
        const QByteArray header = "path,caption,class\n";
        QTest::newRow("missing column") << "a.csv" << QByteArray("path,caption\n")
                                        << ":1|has no column \"class\" (it has: path, caption)";
        QTest::newRow("too few fields") << "a.csv" << header + "x.jpg,a,owl\ny.jpg,a\n"
                                        << ":3|has 2 fields where the header has 3";
        QTest::newRow("label outside the set") << "a.csv" << header + "\"x\n.jpg\",a,owl\ny.jpg,a,cat\n"
                                               << ":4|the label \"cat\" is none of the 2 classes";
        QTest::newRow("number outside the set") << "a.csv" << header + "x.jpg,a,2\n"
                                                << ":2|the label \"2\" is none of the 2 classes";
        QTest::newRow("no label") << "a.csv" << header + "x.jpg,a,\n"
                                  << ":2|has no label";
        QTest::newRow("no path") << "a.csv" << header + ",a,owl\n"
                                 << ":2|names no file";
        QTest::newRow("empty class") << "a.csv" << header + "x.jpg,a,owl\n"
                                     << "|the class \"bat\" has no sample";
        QTest::newRow("no rows") << "a.csv" << header << "|has no rows";
        QTest::newRow("nothing") << "a.csv" << QByteArray() << "|is empty";
        QTest::newRow("quote that never ends") << "a.csv" << header + "x.jpg,\"a,owl\n\n"
                                               << ":2|a quoted field never ends";
        QTest::newRow("quote inside a field") << "a.csv" << header + "x.jpg,a \"b\",owl\n"
                                              << ":2|a quote stands inside a field that does not begin with one";
        QTest::newRow("text behind a quote") << "a.csv" << header + "x.jpg,\"a\"b,owl\n"
                                             << ":2|a quoted field goes on behind its closing quote";
        QTest::newRow("not JSON") << "a.jsonl" << QByteArray("\n{\"path\":\"x\"\n") << ":2|is not a JSON object";
        QTest::newRow("missing field") << "a.jsonl" << QByteArray("{\"path\":\"x\",\"caption\":\"\"}\n") << ":1|has no \"class\"";
        QTest::newRow("wrong type") << "a.jsonl" << QByteArray("{\"path\":1.5,\"caption\":\"\",\"class\":\"owl\"}\n")
                                    << ":1|\"path\" is neither text nor a whole number";
        QTest::newRow("captions that are none") << "a.jsonl" << QByteArray("{\"path\":\"x\",\"caption\":[1],\"class\":\"owl\"}\n")
                                                << ":1|\"caption\" holds something that is not text";
        QTest::newRow("unknown kind") << "a.xlsx" << QByteArray("x") << "|is no manifest that can be read";
    }
    void a_manifest_that_is_wrong_is_refused_with_its_line()
    {
        QFETCH(QString, name);
        QFETCH(QByteArray, text);
        QFETCH(QString, error);
        QTemporaryDir dir;
        ManifestOptions options;
        options.text_columns = {"caption"};
        options.label_column = "class";
        options.classes = {"owl", "bat"};
        const std::string path = write(dir, name, text);
        QCOMPARE(thrown([&] { ManifestSource source(path, options); }).section('|', 1), QString::fromStdString(path) + error);
    }

    void a_split_without_rows_and_a_missing_file_are_said()
    {
        QTemporaryDir dir;
        ManifestOptions options;
        options.split = "dev";
        const std::string path = write(dir, "a.csv", "path,split\nx,train\n");
        QVERIFY(thrown([&] { ManifestSource source(path, options); }).endsWith("has no rows of split \"dev\""));
        QVERIFY(thrown([&] { ManifestSource source(path + ".csv", {}); }).startsWith("not-found|"));
        QVERIFY(!thrown([&] { ManifestSource source(dir.path().toStdString(), {}); }).startsWith("nothing"));
    }

    void cached_features_come_back_with_their_texts_and_labels()
    {
        QTemporaryDir dir;
        const std::vector<float> first = {1, 2, 3, 4, 5, 6}, second = {7, 8};
        const std::vector<int64_t> labels = {1, 0, 1}, label = {0};
        const std::string a = dir.filePath("a.safetensors").toStdString(), b = dir.filePath("b.safetensors").toStdString();
        model::write_safetensors(
            a, {{"classes", R"(["cat","owl"])"}, {"texts", R"(["x",["y","z"],[]])"}},
            {{"features", view(first, {3, 2}, model::DType::F32)}, {"labels", view(labels, {3}, model::DType::I64)}});
        model::write_safetensors(
            b, {}, {{"features", view(second, {1, 2}, model::DType::F32)}, {"labels", view(label, {1}, model::DType::I64)}});
        const FeatureSource source({a, b});
        QCOMPARE(source.size(), 4);
        QCOMPARE(source.classes(), (std::vector<std::string>{"cat", "owl"}));
        const Sample middle = source.sample(1), last = source.sample(3);
        QCOMPARE(std::get<Features>(middle.media).values, (std::vector<float>{3, 4}));
        QCOMPARE(std::get<Features>(middle.media).shape, (std::vector<int64_t>{2}));
        QCOMPARE(middle.texts, (std::vector<std::string>{"y", "z"}));
        QCOMPARE(middle.label, 0);
        QCOMPARE(source.sample(2).label, 1);
        QCOMPARE(std::get<Features>(last.media).values, second);
        QCOMPARE(last.label, 0);
        QVERIFY(QString::fromStdString(last.name).endsWith("b.safetensors, row 0"));
    }

    void features_that_are_wrong_are_refused_data()
    {
        QTest::addColumn<QString>("classes");
        QTest::addColumn<QString>("texts");
        QTest::addColumn<QList<qint64>>("labels");
        QTest::addColumn<bool>("named");
        QTest::addColumn<QString>("words");
        QTest::newRow("no tensor") << R"(["a"])"
                                   << "[]" << QList<qint64>{0, 0} << false << "features";
        QTest::newRow("label outside") << R"(["a"])"
                                       << "[]" << QList<qint64>{0, 1} << true << "labels, row 1|1 is none of the 1 classes";
        QTest::newRow("labels without classes") << "[]"
                                                << "[]" << QList<qint64>{0, 0} << true << "no classes";
        QTest::newRow("too few labels") << R"(["a"])"
                                        << "[]" << QList<qint64>{0} << true << "one value per item";
        QTest::newRow("empty class") << R"(["a","b"])"
                                     << "[]" << QList<qint64>{0, 0} << true << "the class \"b\" has no sample";
        QTest::newRow("too few texts") << R"(["a"])"
                                       << R"(["x"])" << QList<qint64>{0, 0} << true << "1 for 2 items";
        QTest::newRow("texts of another kind") << R"(["a"])"
                                               << R"(["x",5])" << QList<qint64>{0, 0} << true << "row 1";
        QTest::newRow("classes that are no list") << "5"
                                                  << "[]" << QList<qint64>{0, 0} << true << "not a JSON list";
    }
    void features_that_are_wrong_are_refused()
    {
        QFETCH(QString, classes);
        QFETCH(QString, texts);
        QFETCH(QList<qint64>, labels);
        QFETCH(bool, named);
        QFETCH(QString, words);
        QTemporaryDir dir;
        const std::vector<float> values = {1, 2};
        const std::vector<int64_t> wide(labels.begin(), labels.end());
        const std::string path = dir.filePath("a.safetensors").toStdString();
        model::write_safetensors(path, {{"classes", classes.toStdString()}, {"texts", texts.toStdString()}},
                                 {{named ? "features" : "other", view(values, {2, 1}, model::DType::F32)},
                                  {"labels", view(wide, {static_cast<int64_t>(wide.size())}, model::DType::I64)}});
        const QString said = thrown([&] { FeatureSource source({path}); });
        QVERIFY2(said.startsWith("malformed|") && said.contains(words), qPrintable(said));
    }

    void a_corpus_gives_the_captioned_items_of_one_kind()
    {
        QTemporaryDir dir;
        corpus_in(dir, R"({"path":"a.png","kind":"image","split":"train","texts":[0,2]}
{"path":"b.wav","kind":"sound","split":"train","texts":[1]}
{"path":"c.png","kind":"image","split":"test","texts":[1]}
{"path":"d.png","kind":"image","split":"train","texts":[]}
{"path":"e.png","kind":"image","split":"train","texts":[1]}
)");
        const CorpusSource pictures(dir.path().toStdString(), "image"), sounds(dir.path().toStdString(), "sound");
        QCOMPARE(pictures.size(), int64_t{2});
        QCOMPARE(sounds.size(), int64_t{1});
        QCOMPARE(pictures.sample(0).texts, (std::vector<std::string>{"zero", "two"}));
        QVERIFY(std::get<std::filesystem::path>(pictures.sample(1).media) == std::filesystem::path(dir.filePath("e.png").toStdString()));
        QVERIFY(pictures.sample(1).name.ends_with("items.jsonl:5"));
        QCOMPARE(pictures.sample(1).label, -1);
    }

    void a_corpus_that_is_wrong_is_refused_data()
    {
        QTest::addColumn<QString>("items");
        QTest::addColumn<QString>("words");
        const QString good = R"({"path":"a.png","kind":"image","split":"train","texts":[0]})";
        QTest::newRow("no item") << good + "\nnonsense\n" << "items.jsonl:2";
        QTest::newRow("a text that is not there") << R"({"path":"a.png","kind":"image","split":"train","texts":[9]})" << "text 9";
        QTest::newRow("nothing of the kind") << R"({"path":"a.wav","kind":"sound","split":"train","texts":[0]})" << "kind image";
    }
    void a_corpus_that_is_wrong_is_refused()
    {
        QFETCH(QString, items);
        QFETCH(QString, words);
        QTemporaryDir dir;
        corpus_in(dir, items.toUtf8());
        const QString said = thrown([&] { CorpusSource source(dir.path().toStdString(), "image"); });
        QVERIFY2(said.startsWith("malformed|") && said.contains(words), qPrintable(said));
        QVERIFY(thrown([&] { CorpusSource source(dir.path().toStdString() + "/nowhere", "image"); }).startsWith("not-found|"));
    }

private:
    static void corpus_in(const QTemporaryDir& dir, const QByteArray& items)
    {
        write(dir, "items.jsonl", items);
        write(dir, "texts.txt", "zero\none\ntwo\n");
    }
};

QTEST_APPLESS_MAIN(TestSources)
#include "tst_sources.moc"
