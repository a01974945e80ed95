using System.Collections.Concurrent;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Reporting;
using ShmCheck.Harness.Shrinking;

namespace ShmCheck.Harness.Campaigns;

/// <summary>The findings of a campaign, in memory and on disk. A divergence is on disk before
/// anything else is done with it, so that no crash loses it.</summary>
internal sealed class FindingStore(string? directory)
{
    private readonly ConcurrentDictionary<Fingerprint, RunRecord> _raw = new();
    private readonly HashSet<Fingerprint> _claimed = [];
    private readonly List<Finding> _findings = [];

    public IReadOnlyList<Finding> Findings => _findings;

    /// <summary>Writes a run as it was found, unless one with its fingerprint is there. May be
    /// called by any thread.</summary>
    public void KeepRaw(RunRecord found)
    {
        if (_raw.TryAdd(found.Divergence!.Fingerprint, found))
        {
            WriteRaw(found);
        }
    }

    /// <summary>Claims the fingerprint of a run; false when it was claimed before.</summary>
    public bool TryClaim(RunRecord found) => _claimed.Add(found.Divergence!.Fingerprint);

    /// <summary>Whether the fingerprint of a run was claimed before.</summary>
    public bool IsClaimed(RunRecord found) => _claimed.Contains(found.Divergence!.Fingerprint);

    /// <summary>Adds, as they were found, the runs that nobody has claimed: those of blocks that
    /// were not taken.</summary>
    /// <param name="steps">Calls that the campaign had compared by then.</param>
    public void AddRest(long steps)
    {
        foreach (RunRecord found in Unclaimed())
        {
            _claimed.Add(found.Divergence!.Fingerprint);
            Add(found, null, steps);
        }
    }

    /// <summary>Forgets the runs that nobody has claimed.</summary>
    public void RemoveRest()
    {
        foreach (RunRecord found in Unclaimed())
        {
            File.Delete(Path.Combine(directory ?? "", RawName(found)));
        }
    }

    /// <summary>Adds a claimed run, what shrinking made of it, and how many calls the campaign
    /// had compared by then.</summary>
    public void Add(RunRecord found, ShrinkResult? shrunk, long steps)
    {
        KeepFirst(found);
        RunRecord record = shrunk?.Record ?? found;
        Divergence divergence = record.Divergence!;
        string text = DivergenceText.Trace(record, shrunk);
        string? path = directory is null ? null
            : Write($"{divergence.Fingerprint.ToFileName()}.shm", text);
        _findings.Add(new Finding(
            divergence.Fingerprint, record.Machine, [.. record.Calls], divergence,
            shrunk?.Certificate ?? Certificate.None, shrunk?.LowerBound ?? 0,
            shrunk?.Executions ?? 0, steps, text, path));
    }

    /// <summary>Another thread may have kept the run of a later block.</summary>
    private void KeepFirst(RunRecord found)
    {
        if (!ReferenceEquals(_raw.GetOrAdd(found.Divergence!.Fingerprint, found), found)
            || directory is not null && !File.Exists(Path.Combine(directory, RawName(found))))
        {
            WriteRaw(found);
        }
    }

    private IEnumerable<RunRecord> Unclaimed() =>
    [
        .. _raw.Where(kept => !_claimed.Contains(kept.Key)).Select(kept => kept.Value)
            .OrderBy(RawName, StringComparer.Ordinal),
    ];

    private void WriteRaw(RunRecord found)
    {
        if (directory is not null)
        {
            Write(RawName(found), DivergenceText.Trace(found));
        }
    }

    private static string RawName(RunRecord found) =>
        $"{found.Divergence!.Fingerprint.ToFileName()}.raw.shm";

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
