<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de">
<context>
    <name>AppOptions</name>
    <message>
        <source>Finds moments in your own pictures, videos and sounds by what they mean.</source>
        <translation>Findet Momente in den eigenen Bildern, Videos und Klängen nach dem, was sie bedeuten.</translation>
    </message>
    <message>
        <source>Open the library in this folder.</source>
        <translation>Die Bibliothek in diesem Ordner öffnen.</translation>
    </message>
    <message>
        <source>Use this checkpoint.</source>
        <translation>Dieses Modell verwenden.</translation>
    </message>
    <message>
        <source>Add a folder or file to the library; may be repeated.</source>
        <translation>Einen Ordner oder eine Datei in die Bibliothek aufnehmen; mehrfach möglich.</translation>
    </message>
    <message>
        <source>Search for this at once.</source>
        <translation>Sofort danach suchen.</translation>
    </message>
    <message>
        <source>Open the N-th result.</source>
        <translation>Das N-te Ergebnis öffnen.</translation>
    </message>
    <message>
        <source>Start on this page: search, library, label or train.</source>
        <translation>Auf dieser Seite beginnen: search, library, label oder train.</translation>
    </message>
    <message>
        <source>Label with this set at once.</source>
        <translation>Sofort mit dieser Auswahl etikettieren.</translation>
    </message>
    <message>
        <source>Open the training run in this folder.</source>
        <translation>Den Trainingslauf in diesem Ordner öffnen.</translation>
    </message>
    <message>
        <source>Appearance: system, light or dark.</source>
        <translation>Erscheinungsbild: system, light oder dark.</translation>
    </message>
    <message>
        <source>Write the window to a PNG file and quit.</source>
        <translation>Das Fenster in eine PNG-Datei schreiben und beenden.</translation>
    </message>
    <message>
        <source>Take the screenshot after so many milliseconds instead of when everything has arrived.</source>
        <translation>Das Bild nach so vielen Millisekunden aufnehmen statt dann, wenn alles da ist.</translation>
    </message>
    <message>
        <source>unexpected argument: %1 (folders are added with --add)</source>
        <translation>unerwartetes Argument: %1 (Ordner werden mit --add aufgenommen)</translation>
    </message>
    <message>
        <source>--page is one of %1, not %2</source>
        <translation>--page ist eines von %1, nicht %2</translation>
    </message>
    <message>
        <source>--%1 needs a whole number of at least %2</source>
        <translation>--%1 braucht eine ganze Zahl von mindestens %2</translation>
    </message>
    <message>
        <source>--theme is system, light or dark, not %1</source>
        <translation>--theme ist system, light oder dark, nicht %1</translation>
    </message>
</context>
<context>
    <name>Figures</name>
    <message>
        <source>%1 s left</source>
        <translation>noch %1 s</translation>
    </message>
    <message>
        <source>%1 min left</source>
        <translation>noch %1 min</translation>
    </message>
    <message>
        <source>%1 h left</source>
        <translation>noch %1 h</translation>
    </message>
    <message>
        <source>%1 files/s</source>
        <translation>%1 Dateien/s</translation>
    </message>
</context>
<context>
    <name>Problem</name>
    <message>
        <source>Check that it is still there and that its disk is connected.</source>
        <translation>Prüfen Sie, ob es noch da ist und das Laufwerk angeschlossen ist.</translation>
    </message>
    <message>
        <source>Give yourself permission to read it, then try again.</source>
        <translation>Geben Sie sich das Recht, es zu lesen, und versuchen Sie es noch einmal.</translation>
    </message>
    <message>
        <source>Convert it to a common format, then try again.</source>
        <translation>Wandeln Sie es in ein gängiges Format um und versuchen Sie es noch einmal.</translation>
    </message>
    <message>
        <source>The file seems to be damaged: try another copy of it.</source>
        <translation>Die Datei scheint beschädigt zu sein: Versuchen Sie eine andere Kopie.</translation>
    </message>
    <message>
        <source>It is larger than what is read safely: make a smaller copy.</source>
        <translation>Sie ist größer, als sicher gelesen werden kann: Machen Sie eine kleinere Kopie.</translation>
    </message>
    <message>
        <source>Close the other program that uses it, then try again.</source>
        <translation>Schließen Sie das andere Programm, das es benutzt, und versuchen Sie es noch einmal.</translation>
    </message>
    <message>
        <source>Free some space on the disk, then try again. Nothing was lost.</source>
        <translation>Schaffen Sie Platz auf dem Laufwerk und versuchen Sie es noch einmal. Nichts ist verloren.</translation>
    </message>
    <message>
        <source>Only this file is affected. Try another copy of it.</source>
        <translation>Nur diese Datei ist betroffen. Versuchen Sie eine andere Kopie.</translation>
    </message>
    <message>
        <source>Try again; copy this message if it happens again.</source>
        <translation>Versuchen Sie es noch einmal; kopieren Sie diese Meldung, wenn es wieder geschieht.</translation>
    </message>
    <message>
        <source>Could not %1: %2.</source>
        <translation>Es war nicht möglich, %1: %2.</translation>
    </message>
</context>
<context>
    <name>Run</name>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>open the library</source>
        <translation>die Bibliothek zu öffnen</translation>
    </message>
</context>
<context>
    <name>imprint::gui::Chip</name>
    <message>
        <source>concept %1</source>
        <translation>Begriff %1</translation>
    </message>
    <message>
        <source>Less like %1</source>
        <translation>Weniger wie %1</translation>
    </message>
    <message>
        <source>More like %1</source>
        <translation>Mehr wie %1</translation>
    </message>
    <message>
        <source>Without %1</source>
        <translation>Ohne %1</translation>
    </message>
    <message>
        <source>With %1</source>
        <translation>Mit %1</translation>
    </message>
    <message>
        <source>− excludes, ↑ ↓ change the weight, Delete removes</source>
        <translation>− schließt aus, ↑ ↓ ändern das Gewicht, Entf entfernt</translation>
    </message>
    <message>
        <source>More like this</source>
        <translation>Mehr davon</translation>
    </message>
    <message>
        <source>Less like this</source>
        <translation>Weniger davon</translation>
    </message>
    <message>
        <source>Include</source>
        <translation>Einschließen</translation>
    </message>
    <message>
        <source>Exclude</source>
        <translation>Ausschließen</translation>
    </message>
    <message>
        <source>Half weight</source>
        <translation>Halbes Gewicht</translation>
    </message>
    <message>
        <source>Normal weight</source>
        <translation>Normales Gewicht</translation>
    </message>
    <message>
        <source>Double weight</source>
        <translation>Doppeltes Gewicht</translation>
    </message>
    <message>
        <source>Edit words</source>
        <translation>Wörter bearbeiten</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
</context>
<context>
    <name>imprint::gui::Clips</name>
    <message>
        <source>save the clip</source>
        <translation>den Ausschnitt zu speichern</translation>
    </message>
    <message>
        <source>cut the clip</source>
        <translation>den Ausschnitt auszuschneiden</translation>
    </message>
</context>
<context>
    <name>imprint::gui::ConceptMenu</name>
    <message>
        <source>Concepts</source>
        <translation>Begriffe</translation>
    </message>
    <message>
        <source>Searches kept by name</source>
        <translation>Unter einem Namen behaltene Suchen</translation>
    </message>
    <message>
        <source>Keep this search…</source>
        <translation>Diese Suche behalten …</translation>
    </message>
    <message>
        <source>Forget</source>
        <translation>Vergessen</translation>
    </message>
    <message>
        <source>Keep this search</source>
        <translation>Diese Suche behalten</translation>
    </message>
    <message>
        <source>Its name; one that is there is replaced</source>
        <translation>Ihr Name; eine vorhandene wird ersetzt</translation>
    </message>
</context>
<context>
    <name>imprint::gui::CutSlider</name>
    <message>
        <source>Where the cut falls</source>
        <translation>Wo die Grenze liegt</translation>
    </message>
    <message>
        <source>Further right shows less likely results. Double-click for the usual cut.</source>
        <translation>Weiter rechts erscheinen weniger wahrscheinliche Ergebnisse. Doppelklick stellt die übliche Grenze ein.</translation>
    </message>
</context>
<context>
    <name>imprint::gui::ExpertGrid</name>
    <message>
        <source>Use of experts</source>
        <translation>Nutzung der Experten</translation>
    </message>
    <message>
        <source>%1: expert %2 takes most, %3</source>
        <translation>%1: Experte %2 nimmt am meisten, %3</translation>
    </message>
    <message>
        <source>Shown once a step has gone through the mixture of experts.</source>
        <translation>Erscheint, sobald ein Schritt durch die Expertenmischung gegangen ist.</translation>
    </message>
    <message>
        <source>%1 of tokens are taken by no expert</source>
        <translation>%1 der Tokens nimmt kein Experte</translation>
    </message>
    <message>
        <source>Experts</source>
        <translation>Experten</translation>
    </message>
    <message>
        <source>share of tokens, last sparse layer</source>
        <translation>Anteil der Tokens, letzte dünn besetzte Schicht</translation>
    </message>
    <message>
        <source>%1, expert %2: %3</source>
        <translation>%1, Experte %2: %3</translation>
    </message>
</context>
<context>
    <name>imprint::gui::FailureList</name>
    <message>
        <source>Files that could not be read</source>
        <translation>Dateien, die nicht gelesen werden konnten</translation>
    </message>
</context>
<context>
    <name>imprint::gui::FolderCard</name>
    <message>
        <source>Update</source>
        <translation>Aktualisieren</translation>
    </message>
    <message>
        <source>%1: %2 files</source>
        <translation>%1: %2 Dateien</translation>
    </message>
    <message>
        <source>%1: offline</source>
        <translation>%1: nicht erreichbar</translation>
    </message>
    <message>
        <source>Update %1</source>
        <translation>%1 aktualisieren</translation>
    </message>
    <message>
        <source>Looks for new, changed and vanished files</source>
        <translation>Sucht nach neuen, geänderten und verschwundenen Dateien</translation>
    </message>
    <message>
        <source>Connect the disk of this folder first</source>
        <translation>Zuerst das Laufwerk dieses Ordners anschließen</translation>
    </message>
    <message>
        <source>images</source>
        <translation>Bilder</translation>
    </message>
    <message>
        <source>videos</source>
        <translation>Videos</translation>
    </message>
    <message>
        <source>sounds</source>
        <translation>Klänge</translation>
    </message>
    <message>
        <source>moments</source>
        <translation>Momente</translation>
    </message>
    <message>
        <source>offline: its disk is not connected, or it was moved · </source>
        <translation>nicht erreichbar: Laufwerk nicht angeschlossen, oder verschoben · </translation>
    </message>
    <message>
        <source>failure</source>
        <translation>Fehler</translation>
    </message>
    <message>
        <source>failures</source>
        <translation>Fehler</translation>
    </message>
    <message>
        <source>indexing · </source>
        <translation>wird erfasst · </translation>
    </message>
</context>
<context>
    <name>imprint::gui::HeatStrip</name>
    <message>
        <source>Relevance over the whole file</source>
        <translation>Treffer über die ganze Datei</translation>
    </message>
</context>
<context>
    <name>imprint::gui::IndexService</name>
    <message>
        <source>index</source>
        <translation>zu erfassen</translation>
    </message>
    <message>
        <source>switch the model</source>
        <translation>das Modell zu wechseln</translation>
    </message>
</context>
<context>
    <name>imprint::gui::LabelPage</name>
    <message>
        <source>Choose labels</source>
        <translation>Etiketten wählen</translation>
    </message>
    <message>
        <source>Label again</source>
        <translation>Neu etikettieren</translation>
    </message>
    <message>
        <source>Edit labels</source>
        <translation>Etiketten bearbeiten</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>Ausgeben</translation>
    </message>
    <message>
        <source>Keep labels</source>
        <translation>Etiketten behalten</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Anzeigen</translation>
    </message>
    <message>
        <source>Review</source>
        <translation>Durchsicht</translation>
    </message>
    <message>
        <source>Reviewed</source>
        <translation>Durchgesehen</translation>
    </message>
    <message>
        <source>All</source>
        <translation>Alle</translation>
    </message>
    <message>
        <source>A digit answers, 0 is none, Space accepts, J K move, L plays, Z undoes</source>
        <translation>Ziffer antwortet, 0 heißt keines, Leertaste stimmt zu, J K bewegen, L spielt, Z nimmt zurück</translation>
    </message>
    <message>
        <source>Puts the labels into the library, where search finds them; what you said yourself is there already</source>
        <translation>Schreibt die Etiketten in die Bibliothek, wo die Suche sie findet; was Sie selbst gesagt haben, ist schon dort</translation>
    </message>
    <message>
        <source>Table (CSV)</source>
        <translation>Tabelle (CSV)</translation>
    </message>
    <message>
        <source>JSON Lines</source>
        <translation>JSON Lines</translation>
    </message>
    <message>
        <source>COCO, for images</source>
        <translation>COCO, für Bilder</translation>
    </message>
    <message>
        <source>WebVTT, for one video or sound</source>
        <translation>WebVTT, für ein Video oder einen Klang</translation>
    </message>
    <message>
        <source>%1 are in the library now</source>
        <translation>%1 stehen jetzt in der Bibliothek</translation>
    </message>
    <message>
        <source>label</source>
        <translation>Etikett</translation>
    </message>
    <message>
        <source>labels</source>
        <translation>Etiketten</translation>
    </message>
    <message>
        <source>Written to %1</source>
        <translation>Geschrieben nach %1</translation>
    </message>
    <message>
        <source>%1 (yours)</source>
        <translation>%1 (eigene)</translation>
    </message>
    <message>
        <source>Could not label: there is no label set of this name.</source>
        <translation>Etikettieren nicht möglich: Es gibt keine Auswahl dieses Namens.</translation>
    </message>
    <message>
        <source>Choose one of those in the menu.</source>
        <translation>Wählen Sie eine aus dem Menü.</translation>
    </message>
    <message>
        <source>%1 of %2 reviewed</source>
        <translation>%1 von %2 durchgesehen</translation>
    </message>
    <message>
        <source>Label</source>
        <translation>Etiketten</translation>
    </message>
    <message>
        <source>%1 · %2 · %3 · labelled without training in %4 s</source>
        <translation>%1 · %2 · %3 · ohne Training etikettiert in %4 s</translation>
    </message>
    <message>
        <source>file</source>
        <translation>Datei</translation>
    </message>
    <message>
        <source>files</source>
        <translation>Dateien</translation>
    </message>
    <message>
        <source>moment</source>
        <translation>Moment</translation>
    </message>
    <message>
        <source>moments</source>
        <translation>Momente</translation>
    </message>
    <message>
        <source>Add a folder first</source>
        <translation>Zuerst einen Ordner aufnehmen</translation>
    </message>
    <message>
        <source>Labels go onto what is in the library. Add a folder with pictures, videos or sounds.</source>
        <translation>Etiketten kommen an das, was in der Bibliothek ist. Nehmen Sie einen Ordner mit Bildern, Videos oder Klängen auf.</translation>
    </message>
    <message>
        <source>Add folder…</source>
        <translation>Ordner aufnehmen …</translation>
    </message>
    <message>
        <source>Nothing to label here</source>
        <translation>Hier gibt es nichts zu etikettieren</translation>
    </message>
    <message>
        <source>This set looks at something that none of the chosen files has. Choose another set, or other filters.</source>
        <translation>Diese Auswahl betrachtet etwas, das keine der gewählten Dateien hat. Wählen Sie eine andere Auswahl oder andere Filter.</translation>
    </message>
    <message>
        <source>Labelling…</source>
        <translation>Wird etikettiert …</translation>
    </message>
    <message>
        <source>Labelling… %1 %</source>
        <translation>Wird etikettiert … %1 %</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Beenden</translation>
    </message>
    <message>
        <source>Every moment is held against the labels. No file is read again. The sentences for a label are read once; the next time it is quick.</source>
        <translation>Jeder Moment wird mit den Etiketten verglichen. Keine Datei wird neu gelesen. Was ein Etikett bedeutet, wird nur einmal gelesen; beim nächsten Mal geht es schnell.</translation>
    </message>
    <message>
        <source>Label without training</source>
        <translation>Etikettieren ohne Training</translation>
    </message>
    <message>
        <source>Choose a set of labels. Each moment gets the one that fits, or none; you look over what is uncertain.</source>
        <translation>Wählen Sie Etiketten. Jeder Moment bekommt das passende oder keines; Unsicheres sehen Sie durch.</translation>
    </message>
    <message>
        <source>Export labels</source>
        <translation>Etiketten ausgeben</translation>
    </message>
    <message>
        <source>edit the labels</source>
        <translation>die Etiketten zu bearbeiten</translation>
    </message>
    <message>
        <source>Could not open the label set: the system has no program for text files.</source>
        <translation>Die Etiketten konnten nicht geöffnet werden: Das System hat kein Programm für Textdateien.</translation>
    </message>
    <message>
        <source>Open it in an editor yourself, then press “Label again”.</source>
        <translation>Öffnen Sie die Datei selbst in einem Editor und drücken Sie dann „Neu etikettieren“.</translation>
    </message>
</context>
<context>
    <name>imprint::gui::LabelService</name>
    <message>
        <source>label</source>
        <translation>zu etikettieren</translation>
    </message>
    <message>
        <source>keep what you said</source>
        <translation>zu behalten, was Sie gesagt haben</translation>
    </message>
    <message>
        <source>keep the labels</source>
        <translation>die Etiketten zu behalten</translation>
    </message>
    <message>
        <source>write the labels</source>
        <translation>die Etiketten zu schreiben</translation>
    </message>
</context>
<context>
    <name>imprint::gui::LabelStats</name>
    <message>
        <source>The moment</source>
        <translation>Der Moment</translation>
    </message>
    <message>
        <source>Labels and how many moments carry them</source>
        <translation>Etiketten und wie viele Momente sie tragen</translation>
    </message>
    <message>
        <source>ESTIMATED ACCURACY</source>
        <translation>GESCHÄTZTE GENAUIGKEIT</translation>
    </message>
    <message>
        <source>COVERAGE</source>
        <translation>ABDECKUNG</translation>
    </message>
    <message>
        <source>LABELS</source>
        <translation>ETIKETTEN</translation>
    </message>
    <message>
        <source>%1 %</source>
        <translation>%1 %</translation>
    </message>
    <message>
        <source>between %1 and %2, from %3 drawn at random</source>
        <translation>zwischen %1 und %2, aus %3 zufällig gezogenen</translation>
    </message>
    <message>
        <source>not known yet</source>
        <translation>noch nicht bekannt</translation>
    </message>
    <message>
        <source>By the scores alone about %1 % are wrong. Every third moment of the review is drawn at random: after %2 of them this becomes an estimate.</source>
        <translation>Nach den Werten allein sind etwa %1 % falsch. Jeder dritte Moment der Durchsicht ist zufällig gezogen: Nach %2 davon wird daraus eine Schätzung.</translation>
    </message>
    <message>
        <source>%1 % decided · %2 % left open</source>
        <translation>%1 % entschieden · %2 % offen</translation>
    </message>
    <message>
        <source>none of them</source>
        <translation>keines davon</translation>
    </message>
</context>
<context>
    <name>imprint::gui::LearnModel</name>
    <message>
        <source>All of them</source>
        <translation>Alle zusammen</translation>
    </message>
    <message>
        <source>%1 %</source>
        <translation>%1 %</translation>
    </message>
    <message>
        <source>between %1 and %2 % (95 of 100 times)</source>
        <translation>zwischen %1 und %2 % (in 95 von 100 Fällen)</translation>
    </message>
    <message>
        <source>Class</source>
        <translation>Klasse</translation>
    </message>
    <message>
        <source>Files</source>
        <translation>Dateien</translation>
    </message>
    <message>
        <source>Held out</source>
        <translation>Zurückgehalten</translation>
    </message>
    <message>
        <source>By its name</source>
        <translation>Nach dem Namen</translation>
    </message>
    <message>
        <source>With a layer</source>
        <translation>Mit einer Schicht</translation>
    </message>
    <message>
        <source>Learned</source>
        <translation>Gelernt</translation>
    </message>
</context>
<context>
    <name>imprint::gui::LearnService</name>
    <message>
        <source>learn these classes</source>
        <translation>diese Klassen zu lernen</translation>
    </message>
</context>
<context>
    <name>imprint::gui::LearnView</name>
    <message>
        <source>How</source>
        <translation>Wie</translation>
    </message>
    <message>
        <source>By itself</source>
        <translation>Von selbst</translation>
    </message>
    <message>
        <source>Layer</source>
        <translation>Schicht</translation>
    </message>
    <message>
        <source>LoRA</source>
        <translation>LoRA</translation>
    </message>
    <message>
        <source>Full</source>
        <translation>Ganz</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Beenden</translation>
    </message>
    <message>
        <source>Learn again</source>
        <translation>Neu lernen</translation>
    </message>
    <message>
        <source>Use this model</source>
        <translation>Dieses Modell verwenden</translation>
    </message>
    <message>
        <source>Label with it</source>
        <translation>Damit etikettieren</translation>
    </message>
    <message>
        <source>Stopped; nothing was written.</source>
        <translation>Abgebrochen; nichts wurde geschrieben.</translation>
    </message>
    <message>
        <source>Before and after, by class</source>
        <translation>Vorher und nachher, je Klasse</translation>
    </message>
    <message>
        <source>Blend of old and new weights</source>
        <translation>Mischung aus alten und neuen Gewichten</translation>
    </message>
    <message>
        <source>Reads the library again for it, in the background; until that is done the model of now answers</source>
        <translation>Liest die Bibliothek dafür im Hintergrund neu; bis dahin antwortet das jetzige Modell</translation>
    </message>
    <message>
        <source>Blend old and new</source>
        <translation>Alt und neu mischen</translation>
    </message>
    <message>
        <source>Reading the examples</source>
        <translation>Die Beispiele werden gelesen</translation>
    </message>
    <message>
        <source>Learning</source>
        <translation>Lernt</translation>
    </message>
    <message>
        <source>Measuring what changed</source>
        <translation>Es wird gemessen, was sich geändert hat</translation>
    </message>
    <message>
        <source>Writing</source>
        <translation>Schreibt</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <translation>%1 von %2</translation>
    </message>
    <message>
        <source>%1 % right of those it watches</source>
        <translation>%1 % der beobachteten richtig</translation>
    </message>
    <message>
        <source>Left out: %1, which has %2 readable files.</source>
        <translation>Ausgelassen: %1 mit %2 lesbaren Dateien.</translation>
    </message>
    <message>
        <source>%1 could not be read.</source>
        <translation>%1 konnten nicht gelesen werden.</translation>
    </message>
    <message>
        <source>file</source>
        <translation>Datei</translation>
    </message>
    <message>
        <source>files</source>
        <translation>Dateien</translation>
    </message>
    <message>
        <source>%1 % of the held-out files are right (between %2 and %3 %); by name alone it was %4 %.</source>
        <translation>%1 % der zurückgehaltenen Dateien sind richtig (zwischen %2 und %3 %); nach dem Namen allein waren es %4 %.</translation>
    </message>
    <message>
        <source>Learned from %1 in %2 s</source>
        <translation>Aus %1 gelernt in %2 s</translation>
    </message>
    <message>
        <source>A layer leaves the model as it is: nothing to blend, nothing forgotten.</source>
        <translation>Eine Schicht lässt das Modell, wie es ist: nichts zu mischen, nichts vergessen.</translation>
    </message>
    <message>
        <source>by itself: %1 % new</source>
        <translation>von selbst: %1 % neu</translation>
    </message>
    <message>
        <source>%1 % new</source>
        <translation>%1 % neu</translation>
    </message>
    <message>
        <source>%1 % right, general search %2 → %3</source>
        <translation>%1 % richtig, allgemeine Suche %2 → %3</translation>
    </message>
    <message>
        <source>Blended anew for %1 in %2 s</source>
        <translation>Für %1 neu gemischt in %2 s</translation>
    </message>
    <message>
        <source>Blend anew</source>
        <translation>Neu mischen</translation>
    </message>
    <message>
        <source>“Blend anew” makes it so, in seconds</source>
        <translation>„Neu mischen“ macht es so, in Sekunden</translation>
    </message>
</context>
<context>
    <name>imprint::gui::LibraryPage</name>
    <message>
        <source>Add folder…</source>
        <translation>Ordner aufnehmen …</translation>
    </message>
    <message>
        <source>Library</source>
        <translation>Bibliothek</translation>
    </message>
    <message>
        <source>FOLDERS</source>
        <translation>ORDNER</translation>
    </message>
    <message>
        <source>Add your first folder</source>
        <translation>Den ersten Ordner aufnehmen</translation>
    </message>
    <message>
        <source>Choose a folder with pictures, videos or sounds, or drop one here. Nothing leaves this machine.</source>
        <translation>Wählen Sie einen Ordner mit Bildern, Videos oder Klängen, oder ziehen Sie ihn hierher. Nichts verlässt diesen Rechner.</translation>
    </message>
    <message>
        <source>Add a folder…</source>
        <translation>Einen Ordner aufnehmen …</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Anhalten</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Beenden</translation>
    </message>
    <message>
        <source>Gives up what is left; what is indexed stays</source>
        <translation>Gibt den Rest auf; was erfasst ist, bleibt</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Noch einmal versuchen</translation>
    </message>
    <message>
        <source>Copy list</source>
        <translation>Liste kopieren</translation>
    </message>
    <message>
        <source>Reads these files once more</source>
        <translation>Liest diese Dateien noch einmal</translation>
    </message>
    <message>
        <source>image</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>images</source>
        <translation>Bilder</translation>
    </message>
    <message>
        <source>video</source>
        <translation>Video</translation>
    </message>
    <message>
        <source>videos</source>
        <translation>Videos</translation>
    </message>
    <message>
        <source>sound</source>
        <translation>Klang</translation>
    </message>
    <message>
        <source>sounds</source>
        <translation>Klänge</translation>
    </message>
    <message>
        <source>moment</source>
        <translation>Moment</translation>
    </message>
    <message>
        <source>moments</source>
        <translation>Momente</translation>
    </message>
    <message>
        <source>file could not be read</source>
        <translation>Datei konnte nicht gelesen werden</translation>
    </message>
    <message>
        <source>files could not be read</source>
        <translation>Dateien konnten nicht gelesen werden</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>Angehalten</translation>
    </message>
    <message>
        <source>Pausing</source>
        <translation>Wird angehalten</translation>
    </message>
    <message>
        <source>Stopping</source>
        <translation>Wird beendet</translation>
    </message>
    <message>
        <source>Looking for files</source>
        <translation>Dateien werden gesucht</translation>
    </message>
    <message>
        <source>Indexing</source>
        <translation>Wird erfasst</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>Folders, and files that could not be read</source>
        <translation>Ordner und Dateien, die nicht gelesen werden konnten</translation>
    </message>
</context>
<context>
    <name>imprint::gui::LibraryService</name>
    <message>
        <source>read the library</source>
        <translation>die Bibliothek zu lesen</translation>
    </message>
    <message>
        <source>give stars</source>
        <translation>Sterne zu vergeben</translation>
    </message>
</context>
<context>
    <name>imprint::gui::LineChart</name>
    <message>
        <source>Last values: %1</source>
        <translation>Letzte Werte: %1</translation>
    </message>
</context>
<context>
    <name>imprint::gui::MainWindow</name>
    <message>
        <source>Imprint</source>
        <translation>Imprint</translation>
    </message>
    <message>
        <source>Add a folder</source>
        <translation>Einen Ordner aufnehmen</translation>
    </message>
    <message>
        <source>a dog at a window</source>
        <translation>a dog at a window</translation>
    </message>
    <message>
        <source>find the samples</source>
        <translation>die Beispiele zu finden</translation>
    </message>
    <message>
        <source>Written to %1</source>
        <translation>Geschrieben nach %1</translation>
    </message>
</context>
<context>
    <name>imprint::gui::MediaSurface</name>
    <message>
        <source>Preview</source>
        <translation>Vorschau</translation>
    </message>
    <message>
        <source>playing</source>
        <translation>spielt</translation>
    </message>
    <message>
        <source>stopped</source>
        <translation>steht</translation>
    </message>
</context>
<context>
    <name>imprint::gui::MomentList</name>
    <message>
        <source>Moments</source>
        <translation>Momente</translation>
    </message>
    <message>
        <source>whole picture</source>
        <translation>ganzes Bild</translation>
    </message>
    <message>
        <source>sound</source>
        <translation>Klang</translation>
    </message>
    <message>
        <source>picture</source>
        <translation>Bild</translation>
    </message>
</context>
<context>
    <name>imprint::gui::NoticeBar</name>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Copy this message</source>
        <translation>Diese Meldung kopieren</translation>
    </message>
    <message>
        <source>Close this message</source>
        <translation>Diese Meldung schließen</translation>
    </message>
</context>
<context>
    <name>imprint::gui::Player</name>
    <message>
        <source>play</source>
        <translation>abzuspielen</translation>
    </message>
    <message>
        <source>Could not play: this computer has no sound output.</source>
        <translation>Abspielen nicht möglich: Dieser Rechner hat keine Tonausgabe.</translation>
    </message>
    <message>
        <source>Connect a loudspeaker or headphones, then play it again.</source>
        <translation>Schließen Sie Lautsprecher oder Kopfhörer an und spielen Sie es noch einmal.</translation>
    </message>
    <message>
        <source>Could not play: %1.</source>
        <translation>Abspielen nicht möglich: %1.</translation>
    </message>
    <message>
        <source>Open it with another program, or convert it to a common format.</source>
        <translation>Öffnen Sie es mit einem anderen Programm, oder wandeln Sie es in ein gängiges Format um.</translation>
    </message>
</context>
<context>
    <name>imprint::gui::PreviewPanel</name>
    <message>
        <source>More like this</source>
        <translation>Mehr davon</translation>
    </message>
    <message>
        <source>Less</source>
        <translation>Weniger</translation>
    </message>
    <message>
        <source>Find similar</source>
        <translation>Ähnliches suchen</translation>
    </message>
    <message>
        <source>Preview</source>
        <translation>Vorschau</translation>
    </message>
    <message>
        <source>MOMENTS</source>
        <translation>MOMENTE</translation>
    </message>
    <message>
        <source>This is what is looked for</source>
        <translation>Das ist, was gesucht wird</translation>
    </message>
    <message>
        <source>This is not what is looked for</source>
        <translation>Das ist nicht, was gesucht wird</translation>
    </message>
    <message>
        <source>Less like this</source>
        <translation>Weniger davon</translation>
    </message>
    <message>
        <source>Asks for this moment alone</source>
        <translation>Fragt nach diesem Moment allein</translation>
    </message>
    <message>
        <source>Large (Enter), back with Esc</source>
        <translation>Groß (Eingabe), zurück mit Esc</translation>
    </message>
    <message>
        <source>Large preview</source>
        <translation>Große Vorschau</translation>
    </message>
    <message>
        <source>Open with the system's program</source>
        <translation>Mit dem Programm des Systems öffnen</translation>
    </message>
    <message>
        <source>Could not open the file: the system has no program for it.</source>
        <translation>Die Datei konnte nicht geöffnet werden: Das System hat kein Programm dafür.</translation>
    </message>
    <message>
        <source>Choose a program for this kind of file in the system's settings.</source>
        <translation>Wählen Sie in den Einstellungen des Systems ein Programm für diese Art von Datei.</translation>
    </message>
    <message>
        <source>Choose a result to see it here.</source>
        <translation>Wählen Sie ein Ergebnis, um es hier zu sehen.</translation>
    </message>
    <message>
        <source>This cannot be shown: %1.</source>
        <translation>Das kann nicht gezeigt werden: %1.</translation>
    </message>
    <message>
        <source>Save clip…</source>
        <translation>Ausschnitt speichern…</translation>
    </message>
</context>
<context>
    <name>imprint::gui::ProgressLine</name>
    <message>
        <source>Progress</source>
        <translation>Fortschritt</translation>
    </message>
    <message>
        <source>%1 percent</source>
        <translation>%1 Prozent</translation>
    </message>
</context>
<context>
    <name>imprint::gui::QueryBox</name>
    <message>
        <source>Search for</source>
        <translation>Suchen nach</translation>
    </message>
    <message>
        <source>Words; − before a word excludes it, *2 behind it doubles its weight</source>
        <translation>Wörter; − vor einem Wort schließt es aus, *2 dahinter verdoppelt sein Gewicht</translation>
    </message>
    <message>
        <source>pasted %1.png</source>
        <translation>eingefügt %1.png</translation>
    </message>
    <message>
        <source>Describe a moment, or drop a picture, a clip, a sound…</source>
        <translation>Einen Moment beschreiben, oder ein Bild, einen Ausschnitt, einen Klang hierher ziehen …</translation>
    </message>
    <message>
        <source>add words, or drop a picture, a clip, a sound…</source>
        <translation>Wörter hinzufügen, oder ein Bild, einen Ausschnitt, einen Klang hierher ziehen …</translation>
    </message>
</context>
<context>
    <name>imprint::gui::Ratings</name>
    <message>
        <source>Undo rating</source>
        <translation>Bewertung zurücknehmen</translation>
    </message>
    <message>
        <source>No stars</source>
        <translation>Keine Sterne</translation>
    </message>
    <message>
        <source>star</source>
        <translation>Stern</translation>
    </message>
    <message>
        <source>stars</source>
        <translation>Sterne</translation>
    </message>
</context>
<context>
    <name>imprint::gui::ReadingLine</name>
    <message>
        <source>Showing results for “%1”</source>
        <translation>Ergebnisse für „%1“</translation>
    </message>
    <message>
        <source>Search for “%1” as typed</source>
        <translation>Nach „%1“ suchen, wie getippt</translation>
    </message>
</context>
<context>
    <name>imprint::gui::ResultsModel</name>
    <message>
        <source>IN THIS LIBRARY</source>
        <translation>IN DIESER BIBLIOTHEK</translation>
    </message>
    <message>
        <source>BY NAME</source>
        <translation>NACH NAMEN</translation>
    </message>
    <message>
        <source>NEWEST FIRST</source>
        <translation>NEUESTE ZUERST</translation>
    </message>
    <message>
        <source>OLDEST FIRST</source>
        <translation>ÄLTESTE ZUERST</translation>
    </message>
    <message>
        <source>LIKELY</source>
        <translation>WAHRSCHEINLICH</translation>
    </message>
    <message>
        <source>MAYBE</source>
        <translation>VIELLEICHT</translation>
    </message>
    <message>
        <source>UNLIKELY</source>
        <translation>UNWAHRSCHEINLICH</translation>
    </message>
    <message>
        <source>%1 · about %2 % wrong</source>
        <translation>%1 · etwa %2 % falsch</translation>
    </message>
    <message>
        <source>%1 to %2</source>
        <translation>%1 bis %2</translation>
    </message>
    <message>
        <source>star</source>
        <translation>Stern</translation>
    </message>
    <message>
        <source>stars</source>
        <translation>Sterne</translation>
    </message>
</context>
<context>
    <name>imprint::gui::ResultsView</name>
    <message>
        <source>Results</source>
        <translation>Ergebnisse</translation>
    </message>
    <message>
        <source>moment</source>
        <translation>Moment</translation>
    </message>
    <message>
        <source>moments</source>
        <translation>Momente</translation>
    </message>
</context>
<context>
    <name>imprint::gui::ReviewModel</name>
    <message>
        <source>another label</source>
        <translation>anderes Etikett</translation>
    </message>
    <message>
        <source>none of them</source>
        <translation>keines davon</translation>
    </message>
    <message>
        <source>not looked at</source>
        <translation>nicht durchgesehen</translation>
    </message>
    <message>
        <source>undecided</source>
        <translation>unentschieden</translation>
    </message>
    <message>
        <source>%1: %2, %3 %</source>
        <translation>%1: %2, %3 %</translation>
    </message>
</context>
<context>
    <name>imprint::gui::ReviewView</name>
    <message>
        <source>Moments to review</source>
        <translation>Momente zur Durchsicht</translation>
    </message>
    <message>
        <source>Digits give an answer, 0 says none of them, Space accepts, J and K move, L plays, Z undoes</source>
        <translation>Ziffern antworten, 0 sagt keines davon, Leertaste stimmt zu, J und K bewegen, L spielt, Z nimmt zurück</translation>
    </message>
</context>
<context>
    <name>imprint::gui::RunService</name>
    <message>
        <source>start the training</source>
        <translation>das Training zu starten</translation>
    </message>
    <message>
        <source>Could not pause the run: the system refused to signal its process.</source>
        <translation>Der Lauf konnte nicht angehalten werden: Das System hat das Signal an seinen Prozess verweigert.</translation>
    </message>
    <message>
        <source>Stop it where it was started.</source>
        <translation>Halten Sie ihn dort an, wo er gestartet wurde.</translation>
    </message>
    <message>
        <source>The training ended before its time.</source>
        <translation>Das Training endete vor der Zeit.</translation>
    </message>
</context>
<context>
    <name>imprint::gui::RunView</name>
    <message>
        <source>Loss by objective</source>
        <translation>Verlust je Ziel</translation>
    </message>
    <message>
        <source>The first step has not ended yet.</source>
        <translation>Der erste Schritt ist noch nicht zu Ende.</translation>
    </message>
    <message>
        <source>Held out</source>
        <translation>Zurückgehalten</translation>
    </message>
    <message>
        <source>No evaluation has been made yet.</source>
        <translation>Es wurde noch nichts ausgewertet.</translation>
    </message>
    <message>
        <source>Accuracy in training</source>
        <translation>Genauigkeit im Training</translation>
    </message>
    <message>
        <source>No objective has told an accuracy yet.</source>
        <translation>Noch hat kein Ziel eine Genauigkeit gemeldet.</translation>
    </message>
    <message>
        <source>Step %1 of %2</source>
        <translation>Schritt %1 von %2</translation>
    </message>
    <message>
        <source>Step %1</source>
        <translation>Schritt %1</translation>
    </message>
    <message>
        <source>%1 samples/s</source>
        <translation>%1 Beispiele/s</translation>
    </message>
    <message>
        <source>finished</source>
        <translation>fertig</translation>
    </message>
    <message>
        <source>resumable · saved at step %1</source>
        <translation>fortsetzbar · gesichert bei Schritt %1</translation>
    </message>
    <message>
        <source>nothing saved yet</source>
        <translation>noch nichts gesichert</translation>
    </message>
</context>
<context>
    <name>imprint::gui::SearchPage</name>
    <message>
        <source>Search in</source>
        <translation>Suchen in</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>Sound</source>
        <translation>Klang</translation>
    </message>
    <message>
        <source>Both</source>
        <translation>Beides</translation>
    </message>
    <message>
        <source>Sort</source>
        <translation>Sortieren</translation>
    </message>
    <message>
        <source>Sort: relevance</source>
        <translation>Sortiert: Treffer</translation>
    </message>
    <message>
        <source>Sort: newest first</source>
        <translation>Sortiert: neueste zuerst</translation>
    </message>
    <message>
        <source>Sort: oldest first</source>
        <translation>Sortiert: älteste zuerst</translation>
    </message>
    <message>
        <source>Sort: name</source>
        <translation>Sortiert: Name</translation>
    </message>
    <message>
        <source>Opening the library…</source>
        <translation>Die Bibliothek wird geöffnet …</translation>
    </message>
    <message>
        <source>file</source>
        <translation>Datei</translation>
    </message>
    <message>
        <source>files</source>
        <translation>Dateien</translation>
    </message>
    <message>
        <source>in 1 file</source>
        <translation>in 1 Datei</translation>
    </message>
    <message>
        <source>in %1 files</source>
        <translation>in %1 Dateien</translation>
    </message>
    <message>
        <source>%1 maybe</source>
        <translation>%1 vielleicht</translation>
    </message>
    <message>
        <source>%1 likely</source>
        <translation>%1 wahrscheinlich</translation>
    </message>
    <message>
        <source>Looking through your files</source>
        <translation>Ihre Dateien werden durchgesehen</translation>
    </message>
    <message>
        <source>What fits appears here as soon as it has been read. Nothing leaves this machine.</source>
        <translation>Was passt, erscheint hier, sobald es gelesen ist. Nichts verlässt diesen Rechner.</translation>
    </message>
    <message>
        <source>Add your first folder</source>
        <translation>Den ersten Ordner aufnehmen</translation>
    </message>
    <message>
        <source>Imprint looks through its pictures, videos and sounds on this machine; then you search them by what they show.</source>
        <translation>Imprint sieht seine Bilder, Videos und Klänge auf diesem Rechner durch; danach suchen Sie nach dem, was sie zeigen.</translation>
    </message>
    <message>
        <source>Add a folder…</source>
        <translation>Einen Ordner aufnehmen …</translation>
    </message>
    <message>
        <source>Try it with the samples that come with it</source>
        <translation>Mit den mitgelieferten Beispielen ausprobieren</translation>
    </message>
    <message>
        <source>Nothing to show</source>
        <translation>Nichts anzuzeigen</translation>
    </message>
    <message>
        <source>No file passes the filters at the side, or none has been indexed yet.</source>
        <translation>Keine Datei besteht die Filter an der Seite, oder es ist noch keine erfasst.</translation>
    </message>
    <message>
        <source>Nothing here matches</source>
        <translation>Hier passt nichts</translation>
    </message>
    <message>
        <source>The model does not know these words, and no name, folder or label has them. What comes closest is chance.</source>
        <translation>Das Modell kennt diese Wörter nicht, und kein Name, Ordner oder Etikett enthält sie. Was am nächsten kommt, ist Zufall.</translation>
    </message>
    <message>
        <source>No moment in this library stands out for this question. What comes closest is probably chance.</source>
        <translation>Kein Moment dieser Bibliothek sticht bei dieser Frage hervor. Was am nächsten kommt, ist wohl Zufall.</translation>
    </message>
    <message>
        <source>No file passes the filters at the side. Tick more kinds, folders or a longer time.</source>
        <translation>Keine Datei besteht die Filter an der Seite. Wählen Sie mehr Arten, Ordner oder eine längere Zeit.</translation>
    </message>
    <message>
        <source>Show what comes closest</source>
        <translation>Zeigen, was am nächsten kommt</translation>
    </message>
    <message>
        <source>Open large</source>
        <translation>Groß öffnen</translation>
    </message>
    <message>
        <source>More like this</source>
        <translation>Mehr davon</translation>
    </message>
    <message>
        <source>Less like this</source>
        <translation>Weniger davon</translation>
    </message>
    <message>
        <source>Find similar</source>
        <translation>Ähnliches suchen</translation>
    </message>
    <message>
        <source>Copy files</source>
        <translation>Dateien kopieren</translation>
    </message>
    <message>
        <source>Save clip…</source>
        <translation>Ausschnitt speichern…</translation>
    </message>
    <message>
        <source>Save clip</source>
        <translation>Ausschnitt speichern</translation>
    </message>
    <message>
        <source>This library cannot be searched</source>
        <translation>Diese Bibliothek lässt sich nicht durchsuchen</translation>
    </message>
    <message>
        <source>Rating</source>
        <translation>Bewertung</translation>
    </message>
</context>
<context>
    <name>imprint::gui::SearchService</name>
    <message>
        <source>load the model</source>
        <translation>das Modell zu laden</translation>
    </message>
    <message>
        <source>search</source>
        <translation>zu suchen</translation>
    </message>
    <message>
        <source>rate the moments of %1</source>
        <translation>die Momente von %1 zu bewerten</translation>
    </message>
    <message>
        <source>keep the concept %1</source>
        <translation>den Begriff %1 zu behalten</translation>
    </message>
    <message>
        <source>forget the concept %1</source>
        <translation>den Begriff %1 zu vergessen</translation>
    </message>
    <message>
        <source>list the concepts</source>
        <translation>die Begriffe aufzulisten</translation>
    </message>
</context>
<context>
    <name>imprint::gui::SideBar</name>
    <message>
        <source>FOLDERS</source>
        <translation>ORDNER</translation>
    </message>
    <message>
        <source>Date</source>
        <translation>Datum</translation>
    </message>
    <message>
        <source>Length</source>
        <translation>Länge</translation>
    </message>
    <message>
        <source>Rating</source>
        <translation>Bewertung</translation>
    </message>
    <message>
        <source>Label</source>
        <translation>Etiketten</translation>
    </message>
    <message>
        <source>Any label</source>
        <translation>Jedes Etikett</translation>
    </message>
    <message>
        <source>LABEL</source>
        <translation>ETIKETT</translation>
    </message>
    <message>
        <source>Pages and filters</source>
        <translation>Seiten und Filter</translation>
    </message>
    <message>
        <source>Imprint</source>
        <translation>Imprint</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>Suchen</translation>
    </message>
    <message>
        <source>Library</source>
        <translation>Bibliothek</translation>
    </message>
    <message>
        <source>Train</source>
        <translation>Trainieren</translation>
    </message>
    <message>
        <source>Images</source>
        <translation>Bilder</translation>
    </message>
    <message>
        <source>Video</source>
        <translation>Video</translation>
    </message>
    <message>
        <source>Sound</source>
        <translation>Klang</translation>
    </message>
    <message>
        <source>KIND</source>
        <translation>ART</translation>
    </message>
    <message>
        <source>DATE</source>
        <translation>DATUM</translation>
    </message>
    <message>
        <source>LENGTH</source>
        <translation>LÄNGE</translation>
    </message>
    <message>
        <source>RATING</source>
        <translation>BEWERTUNG</translation>
    </message>
    <message>
        <source>Any time</source>
        <translation>Jederzeit</translation>
    </message>
    <message>
        <source>Last 7 days</source>
        <translation>Letzte 7 Tage</translation>
    </message>
    <message>
        <source>Last 30 days</source>
        <translation>Letzte 30 Tage</translation>
    </message>
    <message>
        <source>Last 12 months</source>
        <translation>Letzte 12 Monate</translation>
    </message>
    <message>
        <source>Last 5 years</source>
        <translation>Letzte 5 Jahre</translation>
    </message>
    <message>
        <source>Any length</source>
        <translation>Jede Länge</translation>
    </message>
    <message>
        <source>Up to 10 s</source>
        <translation>Bis 10 s</translation>
    </message>
    <message>
        <source>10 s to 1 min</source>
        <translation>10 s bis 1 min</translation>
    </message>
    <message>
        <source>1 to 10 min</source>
        <translation>1 bis 10 min</translation>
    </message>
    <message>
        <source>10 min and more</source>
        <translation>10 min und mehr</translation>
    </message>
    <message>
        <source>Any rating</source>
        <translation>Jede Bewertung</translation>
    </message>
    <message>
        <source> and more</source>
        <translation> und mehr</translation>
    </message>
    <message>
        <source>Appearance</source>
        <translation>Erscheinungsbild</translation>
    </message>
    <message>
        <source>Light or dark</source>
        <translation>Hell oder dunkel</translation>
    </message>
    <message>
        <source>Like the system</source>
        <translation>Wie das System</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Hell</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Dunkel</translation>
    </message>
    <message>
        <source>offline</source>
        <translation>nicht da</translation>
    </message>
</context>
<context>
    <name>imprint::gui::StarRow</name>
    <message>
        <source>Rating</source>
        <translation>Bewertung</translation>
    </message>
    <message>
        <source>Stars: Alt+1 to Alt+5, Alt+0 takes them away</source>
        <translation>Sterne: Alt+1 bis Alt+5, Alt+0 nimmt sie weg</translation>
    </message>
</context>
<context>
    <name>imprint::gui::StatusStrip</name>
    <message>
        <source>%1 found</source>
        <translation>%1 gefunden</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <translation>%1 von %2</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Anhalten</translation>
    </message>
    <message>
        <source>Status</source>
        <translation>Stand</translation>
    </message>
    <message>
        <source>failure</source>
        <translation>Fehler</translation>
    </message>
    <message>
        <source>failures</source>
        <translation>Fehler</translation>
    </message>
    <message>
        <source>Ready</source>
        <translation>Bereit</translation>
    </message>
    <message>
        <source>%1 folders</source>
        <translation>%1 Ordner</translation>
    </message>
    <message>
        <source>Paused: %1</source>
        <translation>Angehalten: %1</translation>
    </message>
    <message>
        <source>Pausing %1</source>
        <translation>%1 wird angehalten</translation>
    </message>
    <message>
        <source>Stopping %1</source>
        <translation>%1 wird beendet</translation>
    </message>
    <message>
        <source>Reading for the model %1</source>
        <translation>Lesen für das Modell %1</translation>
    </message>
    <message>
        <source>Indexing %1</source>
        <translation>%1 wird erfasst</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Fortsetzen</translation>
    </message>
</context>
<context>
    <name>imprint::gui::TrainPage</name>
    <message>
        <source>Open run</source>
        <translation>Lauf öffnen</translation>
    </message>
    <message>
        <source>Start from a recipe</source>
        <translation>Mit einem Rezept beginnen</translation>
    </message>
    <message>
        <source>Use this model</source>
        <translation>Dieses Modell verwenden</translation>
    </message>
    <message>
        <source>Reads the library again for it, in the background; until that is done the model of now answers</source>
        <translation>Liest die Bibliothek dafür im Hintergrund neu; bis dahin antwortet das jetzige Modell</translation>
    </message>
    <message>
        <source>Also one that was started elsewhere: its folder is all that is needed</source>
        <translation>Auch einen, der anderswo gestartet wurde: Sein Ordner genügt</translation>
    </message>
    <message>
        <source>find the recipes</source>
        <translation>die Rezepte zu finden</translation>
    </message>
    <message>
        <source>Choose a recipe…</source>
        <translation>Ein Rezept wählen …</translation>
    </message>
    <message>
        <source>Choose a folder…</source>
        <translation>Einen Ordner wählen …</translation>
    </message>
    <message>
        <source>Recipes (*.toml)</source>
        <translation>Rezepte (*.toml)</translation>
    </message>
    <message>
        <source>Open the folder of a run</source>
        <translation>Den Ordner eines Laufs öffnen</translation>
    </message>
    <message>
        <source>Train</source>
        <translation>Trainieren</translation>
    </message>
    <message>
        <source>starting: the recipe and its data are read</source>
        <translation>beginnt: Rezept und Daten werden gelesen</translation>
    </message>
    <message>
        <source>training in a process of its own; it goes on when this window is closed</source>
        <translation>trainiert in einem eigenen Prozess; er geht weiter, wenn dieses Fenster geschlossen wird</translation>
    </message>
    <message>
        <source>pausing: the state is being written</source>
        <translation>wird angehalten: der Stand wird geschrieben</translation>
    </message>
    <message>
        <source>paused</source>
        <translation>angehalten</translation>
    </message>
    <message>
        <source>not running</source>
        <translation>läuft nicht</translation>
    </message>
    <message>
        <source>finished: %1</source>
        <translation>fertig: %1</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Anhalten</translation>
    </message>
    <message>
        <source>What you reviewed</source>
        <translation>Was Sie durchgesehen haben</translation>
    </message>
    <message>
        <source>Learn from a folder of folders</source>
        <translation>Aus einem Ordner mit Ordnern lernen</translation>
    </message>
    <message>
        <source>Learn from folders</source>
        <translation>Aus Ordnern lernen</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Teach it your own classes</source>
        <translation>Eigene Klassen beibringen</translation>
    </message>
    <message>
        <source>Choose a folder that holds a folder of pictures, videos or sounds for each class; three of each are enough to begin with. Or train a whole model from a recipe, in a process of its own.</source>
        <translation>Wählen Sie einen Ordner, der für jede Klasse einen Ordner mit Bildern, Videos oder Klängen enthält; je drei genügen für den Anfang. Oder trainieren Sie mit einem Rezept ein ganzes Modell in einem eigenen Prozess.</translation>
    </message>
    <message>
        <source>The model that reads and answers; vectors of the others stay, so that going back costs nothing</source>
        <translation>Das Modell, das liest und antwortet; die Vektoren der anderen bleiben, der Weg zurück kostet nichts</translation>
    </message>
    <message>
        <source>Learn “%1”</source>
        <translation>„%1“ lernen</translation>
    </message>
    <message>
        <source>A fifth of the files is held out; nothing that is learned sees them.</source>
        <translation>Ein Fünftel der Dateien ist zurückgehalten; nichts Gelerntes sieht sie.</translation>
    </message>
    <message>
        <source>trained on %1</source>
        <translation>auf %1 trainiert</translation>
    </message>
    <message>
        <source>Could not begin to learn: something else is being learned.</source>
        <translation>Lernen nicht möglich: Es wird schon etwas anderes gelernt.</translation>
    </message>
    <message>
        <source>Wait until that is done, or stop it.</source>
        <translation>Warten Sie, bis das fertig ist, oder brechen Sie es ab.</translation>
    </message>
</context>
</TS>
