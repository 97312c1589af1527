"""Models, batches, files, skills and user profiles."""

import io
import pathlib
import tempfile
import zipfile

from calls import say

MANIFEST = b"---\nname: haiku\ndescription: Writes haiku.\n---\nFive, seven, five."


def request(name, **more):
    return {"custom_id": name, "params": say(f"request {name}", **more)}


def models(calls, client):
    calls.about("models")
    every = calls.expect("models.list", lambda: list(client.models.list()), lambda m: len(m) > 5) or []
    calls.expect("models.list by three", lambda: list(client.models.list(limit=3)), lambda m: m == every)
    first = calls.expect("models.list page", lambda: client.models.list(limit=2), lambda p: p.has_more)
    calls.expect("page.get_next_page", lambda: first.get_next_page(), lambda p: p.data[0] == every[2])
    calls.expect("models.list after", lambda: client.models.list(after_id=every[0].id), lambda p: p.data[0] == every[1])
    last = every[-1].id
    calls.expect("models.list before", lambda: list(client.models.list(before_id=last, limit=4)), lambda m: len(m) == len(every) - 1)
    for model in every[:10]:
        calls.expect(f"models.retrieve {model.id}", lambda: client.models.retrieve(model.id), lambda m: m == model)
    calls.refused("models.retrieve nobody", lambda: client.models.retrieve("nobody"), 404)
    calls.refused("models.list too many", lambda: client.models.list(limit=5000), 400)


def batches(calls, client):
    calls.about("batches")
    batch = client.messages.batches
    requests = [request("a"), request("b", system="be brief"), request("c", model="claude-nobody")]
    made = calls.expect("batches.create", lambda: batch.create(requests=requests), lambda b: b.type == "message_batch")
    calls.expect("batches.retrieve", lambda: batch.retrieve(made.id), lambda b: b.processing_status == "ended")
    calls.expect("request_counts", lambda: batch.retrieve(made.id).request_counts, lambda c: (c.succeeded, c.errored) == (2, 1))
    results = calls.expect("batches.results", lambda: {r.custom_id: r.result for r in batch.results(made.id)}, lambda r: len(r) == 3)
    calls.check("succeeded", results["a"].message.content[0].text == "You said: request a")
    calls.check("errored", results["c"].error.error.type == "not_found_error")
    more = [calls.expect("batches.create", lambda: batch.create(requests=[request("x")])) for _ in range(4)]
    calls.expect("batches.list", lambda: [b.id for b in batch.list(limit=2)], lambda ids: ids == [m.id for m in reversed([made, *more])])
    calls.expect("batches.list after", lambda: batch.list(after_id=more[0].id).data, lambda d: [b.id for b in d] == [made.id])
    calls.expect("batches.cancel", lambda: batch.cancel(more[0].id), lambda b: b.id == more[0].id)
    for one in more:
        calls.expect("batches.delete", lambda: batch.delete(one.id), lambda d: (d.id, d.type) == (one.id, "message_batch_deleted"))
    calls.refused("batches.retrieve deleted", lambda: batch.retrieve(more[0].id), 404)
    calls.refused("batches.create empty", lambda: batch.create(requests=[]), 400)
    calls.refused("batches.create twice", lambda: batch.create(requests=[request("a"), request("a")]), 400)
    calls.refused("batches.create badly named", lambda: batch.create(requests=[request("a b")]), 400)


def files(calls, client, made):
    calls.about("files")
    with tempfile.NamedTemporaryFile(suffix=".txt") as on_disk:
        on_disk.write(b"on disk")
        on_disk.flush()
        sources = {
            "bytes": b"hello",
            "tuple": ("notes.txt", b"hello", "text/plain"),
            "reader": ("zeros.bin", io.BytesIO(bytes(100_000)), "application/octet-stream"),
            "path": pathlib.Path(on_disk.name),
        }
        sent = [calls.expect(f"files.upload {name}", lambda: client.files.upload(file=source), lambda f: f.size_bytes > 0) for name, source in sources.items()]
    named = calls.expect("files.upload named", lambda: client.files.upload(file=("a/b/c.pdf", b"%PDF-")), lambda f: f.filename == "c.pdf")
    short = calls.expect("files.upload short", lambda: client.files.upload(file=b"x", expires_in_seconds=3600), lambda f: f.expires_at)
    calls.refused("files.upload too short", lambda: client.files.upload(file=b"x", expires_in_seconds=5), 400)
    calls.expect("files.list", lambda: [f.id for f in client.files.list(limit=2)], lambda ids: ids == [f.id for f in reversed([*sent, named, short])] + [made])
    calls.expect("files.list of ids", lambda: client.files.list(ids=[named.id, short.id]).data, lambda d: len(d) == 2)
    for file in sent:
        calls.expect("files.retrieve_metadata", lambda: client.files.retrieve_metadata(file.id), lambda f: f == file)
        calls.refused("files.download uploaded", lambda: client.files.download(file.id), 400, "file_not_downloadable")
        calls.expect("files.delete", lambda: client.files.delete(file.id), lambda d: (d.id, d.type) == (file.id, "file_deleted"))
        calls.refused("files.retrieve_metadata deleted", lambda: client.files.retrieve_metadata(file.id), 404)
    calls.expect("files.download", lambda: client.files.download(made).read(), lambda b: b == b"1,2\n")
    image = [{"type": "image", "source": {"type": "file", "file_id": named.id}}, {"type": "text", "text": "look"}]
    calls.expect("messages.create with file", lambda: client.messages.create(**{**say(""), "messages": [{"role": "user", "content": image}]}))


def skills(calls, client):
    calls.about("skills")
    files = [("haiku/SKILL.md", MANIFEST), ("haiku/more.txt", b"more")]
    skill = calls.expect("skills.create", lambda: client.skills.create(files=files, display_name="Haiku"), lambda s: s.source.type == "custom")
    plain = calls.expect("skills.create plain", lambda: client.skills.create(files=files), lambda s: s.display_name == "haiku")
    calls.expect("skills.retrieve", lambda: client.skills.retrieve(skill.id), lambda s: s == skill)
    calls.expect("skills.list", lambda: [s.id for s in client.skills.list(limit=1)], lambda ids: ids == [plain.id, skill.id])
    calls.expect("skills.list custom", lambda: list(client.skills.list(source="custom")), lambda s: len(s) == 2)
    calls.expect("skills.list anthropic", lambda: list(client.skills.list(source="anthropic")), lambda s: not s)
    version = calls.expect("versions.create", lambda: client.skills.versions.create(skill.id, files=files), lambda v: v.name == "haiku")
    calls.expect("versions.list", lambda: list(client.skills.versions.list(skill.id)), lambda v: len(v) == 2)
    calls.expect("versions.retrieve", lambda: client.skills.versions.retrieve(version.id, skill_id=skill.id), lambda v: v == version)
    content = lambda: client.beta.skills.versions.download(version.id, skill_id=skill.id).read()
    archive = calls.expect("versions.download", content)
    names = zipfile.ZipFile(io.BytesIO(archive)).namelist()
    calls.check("archive", names == ["haiku/SKILL.md", "haiku/more.txt"])
    calls.expect("versions.delete", lambda: client.skills.versions.delete(version.id, skill_id=skill.id), lambda d: d.type == "skill_version_deleted")
    calls.refused("versions.retrieve deleted", lambda: client.skills.versions.retrieve(version.id, skill_id=skill.id), 404)
    calls.expect("skills.delete", lambda: client.skills.delete(skill.id), lambda d: d.type == "skill_deleted")
    calls.refused("skills.retrieve deleted", lambda: client.skills.retrieve(skill.id), 404)
    calls.refused("skills.create without manifest", lambda: client.skills.create(files=[("a/b.txt", b"x")]), 400)


def profiles(calls, client):
    calls.about("user profiles")
    profiles = client.user_profiles
    details = {"country": "DE", "entity_type": "individual", "reference_id": "crm-7"}
    made = calls.expect("user_profiles.create", lambda: profiles.create(name="Reader", external_user_details=details, metadata={"plan": "free"}), lambda p: p.metadata == {"plan": "free"})
    through = calls.expect("user_profiles.create passthrough", lambda: profiles.create(access_type="passthrough"), lambda p: p.access_type == "passthrough")
    calls.expect("user_profiles.retrieve", lambda: profiles.retrieve(made.id), lambda p: p == made)
    calls.expect("user_profiles.update", lambda: profiles.update(made.id, name="Writer"), lambda p: p.name == "Writer")
    calls.expect("user_profiles.list", lambda: [p.id for p in profiles.list(limit=1, order="asc")], lambda ids: ids == [made.id, through.id])
    calls.expect("user_profiles.list banned", lambda: list(profiles.list(enforcement_status=["banned"])), lambda p: not p)
    calls.expect("action_urls.create", lambda: profiles.action_urls.create(made.id, action={"type": "enroll_end_user"}), lambda u: u.url.startswith("http"))
    calls.expect("create_enrollment_url", lambda: client.beta.user_profiles.create_enrollment_url(made.id), lambda u: u.type == "enrollment_url")
    calls.expect("user_profiles.delete", lambda: profiles.delete(made.id), lambda d: d.id == made.id)
    calls.refused("user_profiles.retrieve deleted", lambda: profiles.retrieve(made.id), 404)
