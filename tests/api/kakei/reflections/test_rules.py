import itertools
import timeit
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.kakei.reflections.rules import CLEAR_FROM, STRONG_FROM, WEIGHTS, Quality, QualityLevel, feedback, texts_in
from api.kakei.reflections.rules import quality_of as quality_by
from coach_model.budget.messages import LANGUAGES
from data.catalog import catalog
from tests.support.shaming import SHAMING

SIGNALS = catalog("reflections")
NOTICED = "I noticed snacks were my biggest optional expense this week."
TELLS_ALL = [
    "Snacks. Tired after work, so I bought 300 yen of sweets every day. Next week I bring tea.",
    "I ate out twice because I was too tired to cook. Next week I'll cook on Sunday.",
    "Taxi, €12, since it rained. Tomorrow: umbrella.",
    "お菓子。仕事で疲れて、毎日300円分買った。来週はお茶を持っていく。",
    "残業のせいで弁当を作れず、昼に三千円使った。次は前の晩に作る。",
    "寂しくて服を二着買った。来月は一晩待つつもり。",
]
SAYS = {
    "observation": ["I bought a magazine.", "Lunch with friends again.", "コンビニに寄って買い物をした。"],
    "amount": ["It was 12.50 in all.", "About half.", "Almost nothing.", "全部で二千円。", "５００円くらい。"],
    "cause": ["It was because of the rain.", "I was so tired.", "疲れていたので。", "ストレスのせいで。"],
    "plan": ["Next week will be another.", "I will wait a night.", "来週は一晩待つ。", "もっと歩くようにしたい。"],
}
FILLER = [
    "really",
    "very very",
    "and so on and so forth",
    "hmm",
    "blah blah blah",
    "!!!",
    "えーと",
    "まあまあ",
    "うーん、そうですね",
]
EVERYDAY = [NOTICED, *TELLS_ALL, *itertools.chain(*SAYS.values()), "Snacks.", "I went home.", "今日は晴れ。", "asdf"]
GIBBERISH = [
    "aaaaaa",
    "....",
    "asdf asdf",
    "asdfasdfasdf",
    "qwerty",
    "xx xx",
    "x",
    "!?",
    "ああああああ",
    "。。。",
    "🍩🍩",
    "bcdfg",
]

written = st.lists(st.sampled_from(EVERYDAY) | st.text(max_size=40), min_size=1, max_size=4).map(". ".join)
actions = st.none() | st.sampled_from(["", "Bring tea.", "Limit snacks to weekends.", "自炊する", "none", "asdf"])


def quality_of(reflection_text: str, intended_action: str | None = None) -> Quality:
    return quality_by(reflection_text, intended_action, SIGNALS)


@pytest.mark.parametrize("text", TELLS_ALL)
def test_a_few_short_honest_sentences_reach_the_top(text: str) -> None:
    assert quality_of(text) == Quality(1.0, QualityLevel.STRONG, tuple(WEIGHTS), ())


def test_the_reference_example_is_clear_and_is_asked_for_an_amount_and_a_cause() -> None:
    quality = quality_of(NOTICED, "Limit snack purchases to weekends.")
    assert quality == Quality(0.65, QualityLevel.CLEAR, ("observation", "plan"), ("amount", "cause"))


@pytest.mark.parametrize("text", GIBBERISH)
def test_gibberish_has_the_lowest_score_also_as_a_plan(text: str) -> None:
    assert quality_of(text, text) == Quality(0.0, QualityLevel.STARTING, (), tuple(WEIGHTS))


@pytest.mark.parametrize(("signal", "text"), [(signal, text) for signal, texts in SAYS.items() for text in texts])
def test_each_signal_is_found_by_itself_and_weighs_what_it_weighs(signal: str, text: str) -> None:
    quality = quality_of(text)
    assert quality.strengths == (signal,)
    assert quality.score == WEIGHTS[signal]


@pytest.mark.parametrize(
    ("signal", "text"),
    [
        ("cause", "Yours sincerely, I spent it on lunch."),
        ("cause", "Since last week I eat at home."),
        ("cause", "来週からお茶を持っていく。"),
        ("cause", "お母さんから本をもらった。"),
        ("cause", "旅行にお金をためる。"),
        ("cause", "必要なものでした。"),
        ("cause", "買ったのですが、返した。"),
        ("amount", "It was my biggest expense."),
        ("amount", "I bought lunch at 12:30, and dinner at 8 pm."),
        ("amount", "7月5日の18時に百円ショップで買い物をした。"),
        ("amount", "お菓子がいちばん多かった。十分に楽しんだ。"),
        ("plan", "I went over my limit for lunches."),
        ("plan", "予定外の出費があった。"),
        ("plan", "自炊するつもりだったのに外食した。"),
        ("observation", "Will it be better? I am in order to be."),
        ("observation", "Snacks."),
        ("observation", "お菓子"),
    ],
)
def test_what_only_looks_like_a_signal_is_none(signal: str, text: str) -> None:
    assert signal in quality_of(text).missing


@pytest.mark.parametrize(
    ("signal", "text"),
    [
        ("cause", "Since I was at home, I ordered pizza."),
        ("cause", "安かったから買った。"),
        ("cause", "健康のために野菜を買った。"),
        ("cause", "忙しかったのですぐ買った。"),
        ("cause", "I don’t cook when I’m alone."),
        ("amount", "外食を三回した。"),
        ("amount", "ほとんど使わなかった。"),
        ("amount", "I spent ½ of it."),
        ("plan", "From now on I’ll walk."),
        ("plan", "次回は早く寝るつもり。"),
        ("observation", "No snacks!"),
        ("observation", "外食多め"),
        ("observation", "今日は何も買わなかった。"),
    ],
)
def test_signals_are_found_in_everyday_words(signal: str, text: str) -> None:
    assert signal in quality_of(text).strengths


@pytest.mark.parametrize("action", ["Bring tea.", "Cook!", "自炊", "一晩待つ", "Zu Hause kochen", "차를 가져오기"])
def test_an_intended_action_is_a_plan_in_each_language(action: str) -> None:
    assert quality_of("Too many snacks.", action).strengths == ("observation", "plan")


@pytest.mark.parametrize("action", ["", "  ", "None.", "I don't know", "特になし。", "-", "…", "12"])
def test_an_action_that_says_there_is_none_is_no_plan(action: str) -> None:
    assert quality_of("Too many snacks.", action) == quality_of("Too many snacks.")


def test_strong_takes_an_observation_and_two_more_and_clear_as_much_as_an_observation() -> None:
    assert sum(WEIGHTS.values()) == pytest.approx(1)
    for size in range(len(WEIGHTS) + 1):
        for chosen in itertools.combinations(WEIGHTS, size):
            quality = quality_of("Well. " + " ".join(SAYS[signal][0] for signal in chosen))
            assert quality.strengths == chosen
            assert (quality.level == QualityLevel.STRONG) == (size >= 3 and "observation" in chosen)
            assert (quality.level == QualityLevel.STARTING) == (quality.score < CLEAR_FROM < STRONG_FROM)


@given(written, actions)
def test_the_score_is_a_share_and_every_signal_is_there_or_missing(text: str, action: str | None) -> None:
    quality = quality_of(text, action)
    assert 0 <= quality.score == round(quality.score, 2) <= 1
    assert sorted(quality.strengths + quality.missing) == sorted(WEIGHTS)
    assert quality == quality_of(text, action)


@given(written, actions, st.sampled_from(sorted(SAYS)), st.data())
def test_another_signal_never_lowers_the_score(text: str, action: str | None, signal: str, data: st.DataObject) -> None:
    more = data.draw(st.sampled_from(SAYS[signal]))
    before, after = quality_of(text, action), quality_of(f"{text}. {more}", action)
    assert after.score >= before.score
    assert set(after.strengths) >= {*before.strengths, signal}
    assert quality_of(text, "Bring tea.").score >= before.score


@given(
    st.sampled_from([text for text in EVERYDAY if text != "Snacks."]), st.lists(st.sampled_from(FILLER), max_size=60)
)
def test_filler_earns_nothing(text: str, filler: list[str]) -> None:
    assert quality_of(f"{text} {' '.join(filler)}") == quality_of(text)


@given(written)
def test_saying_it_again_earns_nothing(text: str) -> None:
    assert quality_of(f"{text}. {text}. {text}") == quality_of(text)


@given(written, actions, st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
@example("ｺﾝﾋﾞﾆで５００円、ｽﾄﾚｽのせいで。", None, "NFKC")
def test_equal_spellings_are_read_alike(text: str, action: str | None, form: str) -> None:
    normal = unicodedata.normalize(form, text)  # type: ignore[arg-type]
    assert quality_of(normal, action) == quality_of(text, action)


@given(st.lists(st.sampled_from(EVERYDAY), min_size=1).map(" ".join), st.sampled_from([" ", "\n", "\t ", "  \u3000"]))
def test_case_width_and_spacing_do_not_matter(text: str, space: str) -> None:
    wide = "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)
    spaced = space + space.join(text.split()) + space
    for other in (text.upper(), text.lower(), text.swapcase(), wide, spaced):
        assert quality_of(other, other) == quality_of(text, text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_feedback_names_what_is_there_and_then_asks_for_what_is_not(language: str) -> None:
    texts = texts_in(language, SIGNALS)
    said = feedback(quality_of(NOTICED, "Limit snack purchases to weekends."), texts)
    assert said == (
        texts["observation"]["present"],
        texts["plan"]["present"],
        texts["amount"]["missing"],
        texts["cause"]["missing"],
    )
    assert all(("？" in asked or "?" in asked or "か。" in asked) for asked in said[2:])


@pytest.mark.parametrize("language", LANGUAGES)
def test_feedback_has_a_sentence_for_everything_and_shames_no_one(language: str) -> None:
    sentences = [sentence for pair in texts_in(language, SIGNALS).values() for sentence in pair.values()]
    assert len(sentences) == len(set(sentences)) == 2 * len(WEIGHTS)
    assert [word for word in SHAMING if word in " ".join(sentences).lower()] == []


def test_the_words_of_the_catalog_are_written_as_text_is_compared() -> None:
    assert [signal["key"] for signal in SIGNALS] == list(WEIGHTS)
    for signal in SIGNALS:
        for name in ("english", "english_except", "japanese", "japanese_except", "no_action"):
            words = signal.get(name, [])
            assert len(words) == len(set(words))
            assert words == [unicodedata.normalize("NFKC", word).casefold() for word in words]
            assert not [word for word in words if "*" in word[:-1] or (name != "english" and "*" in word)]


@pytest.mark.parametrize("unit", ["a", "ab", "since ", "のでは", "一二三", "12:3"])
def test_the_longest_text_of_any_content_is_read_at_once(unit: str) -> None:
    text = (unit * 4000)[:4000]
    seconds = min(timeit.repeat(lambda: quality_of(text, text[:1000]), number=1, repeat=3))
    assert seconds < 0.1  # some milliseconds, where nothing grows with the square
