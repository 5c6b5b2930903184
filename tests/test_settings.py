from pathlib import Path

import pytest

from meterai.settings import SettingNotUnderstood, Settings


def test_settings_travel_to_a_child_process_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Settings(
        data_dir=Path("/somewhere"),
        port=8123,
        demo=True,
        time_stamp_urls=("http://a", "http://b"),
        payment_url="http://pay",
        workers=3,
        pkcs11_module=Path("/lib/p11.so"),
    )
    assert Settings.from_env(before.environment()) == before
    monkeypatch.setenv("METERAI_PORT", "9")
    assert Settings.from_env(before.environment()).port == 8123


@pytest.mark.parametrize(
    "wrong", [{"METERAI_PORT": "many"}, {"METERAI_PORT": "70000"}, {"METERAI_DEMO": "maybe"}]
)
def test_a_setting_that_makes_no_sense_is_named(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingNotUnderstood, match=next(iter(wrong))):
        Settings.from_env({"HOME": "/root", **wrong})


def test_left_out_everything_has_a_sensible_default() -> None:
    found = Settings.from_env({"HOME": "/home/somebody"})
    assert found.data_dir == Path("/home/somebody/.local/share/meterai")
    assert (found.host, found.port, found.demo) == ("127.0.0.1", 8000, False)
    assert found.base_url == "http://127.0.0.1:8000"
