"""The generated pair: street scenes in clear air and in fog.

``render.make_scene`` draws a scene. ``plan`` samples where objects stand.
``objects``, ``houses`` and ``furniture`` turn them into patches, with the help
of ``geometry``. ``canvas`` draws patches with depth, in front of ``backdrop``.
``fog`` adds fog by that depth.
"""
