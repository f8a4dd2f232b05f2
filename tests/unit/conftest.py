"""Property tests are judged by what they find, not by how fast a shared machine ran them."""

from hypothesis import settings

settings.register_profile("milepost", deadline=None)
settings.load_profile("milepost")
