using System.Collections.Immutable;
using ShmCheck.Harness.Reviewing;

namespace ShmCheck.Cli.Presentation;

/// <summary>The JSON of <c>review</c>.</summary>
internal sealed record ReviewJson(ImmutableArray<PendingJson> Pending)
{
    public int Version { get; } = Json.Version;

    public static ReviewJson Of(IEnumerable<PendingSnapshot> pending) => new(
    [
        .. pending.Select(snapshot => new PendingJson(
            snapshot.Group, snapshot.Matter.ToString().ToLowerInvariant(), snapshot.Name,
            snapshot.Received, snapshot.Verified)),
    ]);
}

/// <summary>A snapshot to decide about.</summary>
internal sealed record PendingJson(
    string Fingerprint, string Matter, string Test, string? Received, string Verified);
