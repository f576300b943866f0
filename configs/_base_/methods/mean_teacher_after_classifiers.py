# A teacher on the pairs of the reference recipe, after a burn-in with domain
# classifiers.

# Each proposal takes a pass of the RoI head. The teacher needs the confident
# proposals alone.
teacher_proposals = 300
custom_hooks = [dict(type='SelfTrainingHook', burn_in=20000, momentum=0.0004)]
# The classifiers rest after the burn-in.
find_unused_parameters = True
