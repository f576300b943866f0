"""The line that a training logs at each interval."""

import datetime

from mmdet.registry import LOG_PROCESSORS
from mmengine.runner import LogProcessor

TARGET = 'target_'  # prefix of losses on pseudo-labels
ACCURACY = 'acc_da_'  # prefix of a domain classifier's accuracy


def is_detection(name: str) -> bool:
    """Whether a value is part of the detection loss on labelled images."""
    return (
        'loss' in name
        and name != 'loss'
        and not name.startswith(TARGET)
        and '_da_' not in name
        and 'consistency' not in name
    )


@LOG_PROCESSORS.register_module()
class TrainingLine(LogProcessor):
    """LogProcessor that writes a short line during training.

    The line has the iteration, the time left, the loss with its parts
    (detection loss and domain losses), the accuracy of the domain classifiers
    and the number of pseudo-labels an image. scalars.json, TensorBoard and
    the like get every value that MMEngine collects.
    """

    def get_log_after_iter(
        self, runner, batch_idx: int, mode: str
    ) -> tuple[dict, str]:
        """Collects the logged values and formats the line.

        Args:
            runner (Runner): The runner.
            batch_idx (int): Index of the batch in its loop.
            mode (str): ``train``, ``val`` or ``test``. Only the line of
                ``train`` is shortened.

        Returns:
            tuple[dict, str]: All values, and the line.
        """
        tag, text = super().get_log_after_iter(runner, batch_idx, mode)
        if mode != 'train':
            return tag, text
        values = {
            self._remove_prefix(name, 'train/'): value
            for name, value in tag.items()
        }
        head = text[: text.index(']  ') + 1]
        eta = runner.message_hub.runtime_info.get('eta')
        return tag, '  '.join([head, *self._items(values, eta)])

    def _items(self, values: dict, eta: float | None) -> list[str]:
        """The items of the line that follow the iteration."""

        def text(value: float) -> str:
            return f'{value:.{self.num_digits}f}'

        items = []
        if eta is not None:
            items.append(f'eta: {datetime.timedelta(seconds=int(eta))}')
        if {'time', 'data_time'} <= values.keys():
            of_data = text(values['data_time'])
            items.append(f'time: {text(values["time"])} (data {of_data})')
        if 'memory' in values:
            items.append(f'memory: {values["memory"]}')
        if 'lr' in values:
            items.append(f'lr: {values["lr"]:.1e}')
        parts = ', '.join(f'{n} {text(v)}' for n, v in self._parts(values))
        if 'loss' in values:
            sum_of = f' ({parts})' if parts else ''
            items.append(f'loss: {text(values["loss"])}{sum_of}')
        accuracies = ', '.join(
            f'{name.removeprefix("acc_")} {value:.0f} %'
            for name, value in values.items()
            if name.startswith(ACCURACY)
        )
        if accuracies:
            items.append(f'acc: {accuracies}')
        if 'pseudo_boxes' in values:
            items.append(f'pseudo_boxes: {values["pseudo_boxes"]:.1f}')
        return items

    @staticmethod
    def _parts(values: dict) -> list[tuple[str, float]]:
        """Names and values of the loss's parts; empty if it has only one."""
        parts: dict[str, float] = {}
        for name, value in values.items():
            if 'loss' not in name or name == 'loss':
                continue
            if is_detection(name):
                part = 'detection'
            elif name.startswith(TARGET):
                part = 'target'
            else:
                part = name.removeprefix('loss_')
            parts[part] = parts.get(part, 0.0) + value
        return [] if list(parts) == ['detection'] else list(parts.items())
