"""The generated pair: street scenes, clear and in fog.

``render.make_scene`` draws one scene; ``plan`` says what stands where,
``objects`` and ``scenery`` what it looks like, ``canvas`` draws it with depth,
and ``fog`` adds fog by that depth.
"""
