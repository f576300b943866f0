"""Converters of published datasets to COCO annotation files.

Each dataset or label format has a module with a function ``convert``, which a
command in tools/dataset_converters calls::

    from da_faster.data_conversion import kitti, summary

    written = kitti.convert('data/kitti', classes=['Car=car', 'Van=car'])
    print(summary(written))

``convert`` returns {path of the annotation file: CocoSplit}. The same input
gives the same bytes. A file is written whole or not at all, and an earlier
file is replaced only with ``force=True``. A ``ConversionError`` says what is
broken and how to mend it.

``out`` is the folder to write to. ``skip_broken`` leaves out broken images,
and the summary has a sentence about each; without ``skip_broken`` one error
names all broken images. ``nproc`` is the number of processes, by default one
per core. ``classes`` chooses and renames the labels: each item is ``LABEL`` or
``LABEL=CLASS``, and the order of the classes gives the category ids 1, 2, ...

``arguments`` checks the arguments of a converter. ``reading`` and the module
of the format, such as ``voc_layout``, read files to ``samples``. ``parallel``
reads many images in several processes. ``coco`` builds annotation files of
the samples, and ``output`` writes the annotation files.
"""

from .coco import CocoSplit
from .output import summary
from .samples import Box, ConversionError, Sample

__all__ = ['Box', 'CocoSplit', 'ConversionError', 'Sample', 'summary']
