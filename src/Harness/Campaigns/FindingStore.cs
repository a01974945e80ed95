using System.Collections.Concurrent;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Reporting;
using ShmCheck.Harness.Shrinking;

namespace ShmCheck.Harness.Campaigns;

/// <summary>The findings of a campaign, in memory and on disk. A divergence is on disk before
/// anything else is done with it, so that no crash loses it.</summary>
internal sealed class FindingStore(string? directory)
{
    private readonly ConcurrentDictionary<Fingerprint, bool> _raw = new();
    private readonly HashSet<Fingerprint> _claimed = [];
    private readonly List<Finding> _findings = [];

    public IReadOnlyList<Finding> Findings => _findings;

    /// <summary>Writes a run as it was found, unless one with its fingerprint is there. May be
    /// called by any thread.</summary>
    public void KeepRaw(RunRecord found)
    {
        Fingerprint fingerprint = found.Divergence!.Fingerprint;
        if (directory is not null && _raw.TryAdd(fingerprint, true))
        {
            Write($"{fingerprint.ToFileName()}.raw.shm", DivergenceText.Trace(found));
        }
    }

    /// <summary>Claims the fingerprint of a run; false when it was claimed before.</summary>
    public bool TryClaim(RunRecord found) => _claimed.Add(found.Divergence!.Fingerprint);

    /// <summary>Gives a claim up: the divergence did not count.</summary>
    public void Unclaim(RunRecord found) => _claimed.Remove(found.Divergence!.Fingerprint);

    /// <summary>Whether the fingerprint of a run was claimed before.</summary>
    public bool IsClaimed(RunRecord found) => _claimed.Contains(found.Divergence!.Fingerprint);

    /// <summary>Adds a claimed run and what shrinking made of it.</summary>
    public void Add(RunRecord found, ShrinkResult? shrunk)
    {
        KeepRaw(found);
        RunRecord record = shrunk?.Record ?? found;
        Divergence divergence = record.Divergence!;
        string text = DivergenceText.Trace(record);
        string? path = directory is null ? null
            : Write($"{divergence.Fingerprint.ToFileName()}.shm", text);
        _findings.Add(new Finding(
            divergence.Fingerprint, record.Machine, [.. record.Calls], divergence,
            shrunk is { Minimal: true } ? Certificate.OneMinimal : Certificate.None,
            shrunk?.Executions ?? 0, text, path));
    }

    private string Write(string name, string text)
    {
        Directory.CreateDirectory(directory!);
        string path = Path.Combine(directory!, name);
        string unfinished = $"{path}.{Environment.CurrentManagedThreadId}.tmp";
        File.WriteAllText(unfinished, text);
        File.Move(unfinished, path, overwrite: true);
        return path;
    }
}
