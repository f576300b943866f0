"""Labelled objects of a street scene, a class in each file.

Every function takes a random generator, a :class:`Pose` and the size (length,
height, width) in metres, and returns patches for :meth:`Canvas.draw`.
"""

from .bicycle import bicycle
from .bus import bus
from .car import car
from .person import person
from .truck import truck

BUILDERS = dict(person=person, car=car, truck=truck, bus=bus, bicycle=bicycle)
"""Function that makes an object, by the names of ``plan.CLASSES``."""
