import gc

import pytest

from bot.loading import loading


def test_garbage_is_collected_again_once_all_is_loaded_or_refused() -> None:
    with loading():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ValueError, match="refused"), loading():
        raise ValueError("refused")
    assert gc.isenabled()
