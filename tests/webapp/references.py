"""Request bodies that name objects stored at OpenAI, for the tests of metering and of the gateway."""

from __future__ import annotations

# (fields of a body, the field that must be refused)
REFERENCES = [
    ({"background": True}, "background"),
    ({"conversation": "conv_1"}, "conversation"),
    ({"conversation": {"id": "conv_1"}}, "conversation"),
    ({"previous_response_id": "resp_1"}, "previous_response_id"),
    ({"comparison_response_id": "resp_1"}, "comparison_response_id"),
    ({"some_future_id": "x_1"}, "some_future_id"),
    ({"prompt": {"id": "pmpt_1", "version": "2"}}, "prompt.id"),
    ({"voice": {"id": "voice_1"}}, "voice.id"),
    ({"messages": [{"role": "assistant", "audio": {"id": "audio_1"}}]}, "messages[0].audio.id"),
    ({"messages": [{"content": [{"type": "file", "file": {"file_id": "f"}}]}]}, "messages[0].content[0].file.file_id"),
    ({"input": [{"content": [{"type": "input_image", "file_id": "file-1"}]}]}, "input[0].content[0].file_id"),
    ({"input": [{"type": "computer_call_output", "output": {"file_id": "file-1"}}]}, "input[0].output.file_id"),
    ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0].id"),
    ({"input": [{"type": "item_reference", "id": "msg_1", "content": "x"}]}, "input[0].id"),
    ({"input": [{"type": None, "id": "msg_1"}]}, "input[0].id"),
    ({"input": [{"id": "msg_1"}]}, "input[0].id"),
    ({"input": [{"type": "message", "id": "msg_1", "role": "assistant"}]}, "input[0].id"),
    ({"input": [{"type": "reasoning", "id": "rs_1", "summary": []}]}, "input[0].id"),
    ({"input": [{"type": "reasoning", "id": "rs_1", "encrypted_content": None}]}, "input[0].id"),
    ({"input": [{"type": "image_generation_call", "id": "ig_1"}]}, "input[0].id"),
    ({"input": [[[{"file_id": "file-1"}]]]}, "input[0][0][0].file_id"),
    ({"tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}]}, "tools[0].vector_store_ids"),
    ({"tools": [{"type": "code_interpreter", "container": "cntr_1"}]}, "tools[0].container"),
    ({"tools": [{"container": {"type": "auto", "file_ids": ["file-1"]}}]}, "tools[0].container.file_ids"),
    ({"tools": [{"environment": {"type": "container_ref", "container_id": "c"}}]}, "tools[0].environment.container_id"),
    ({"tools": [{"environment": {"skills": [{"type": "skill_reference", "skill_id": "s"}]}}]},
     "tools[0].environment.skills[0].skill_id"),
    ({"tools": [{"type": "image", "input_image_mask": {"file_id": "f"}}]}, "tools[0].input_image_mask.file_id"),
    ({"images": [{"file_id": "file-1"}], "mask": {"file_id": "file-2"}}, "images[0].file_id"),
]  # fmt: skip
