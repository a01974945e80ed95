using System.Collections.Immutable;
using ShmCheck.Faults.Building;
using ShmCheck.Faults.Patches;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Checking;

namespace ShmCheck.Properties.Faults;

/// <summary>Several faults at once: one run finds them all, and tells them apart.</summary>
public sealed class SeveralFaultsTests
{
    private static readonly ImmutableArray<string> Ten =
    [
        "dontfork-keeps-its-size", "failed-attach-keeps-reference", "ipc-set-clears-flags",
        "mprotect-upgrades-read-only-attach", "private-segment-of-no-bytes",
        "remap-null-before-rounding", "shm-info-counts-huge-pages-singly",
        "shmdt-takes-any-address",
        "unlock-without-right-succeeds", "written-memory-returns-its-charge",
    ];

    [Fact]
    public void Ten_faults_at_once_are_ten_findings_each_of_its_own_fault()
    {
        Fault[] faults = [.. Ten.Select(id => FaultCatalogue.All.Single(f => f.Id == id))];
        using FaultySystem all = FaultySystem.Of(faults);

        CampaignReport report = Campaign.Run(
            all, new CampaignOptions { Seed = 1, Steps = 150_000 });

        FaultySystem[] alone = [.. faults.Select(fault => FaultySystem.Of(fault))];
        string[] found =
        [
            .. report.Findings.Select(finding => Assert.Single(
                Ten, id => Diverges(alone[Ten.IndexOf(id)], finding))).Distinct().Order(),
        ];
        Array.ForEach(alone, system => system.Dispose());
        Assert.Equal(Ten, found);
    }

    private static bool Diverges(FaultySystem system, Finding finding)
    {
        var record = new RunRecord();
        new SequenceRunner(system).Run(
            finding.Machine, new CallList(finding.Calls), record, endProcesses: false);
        return Equals(record.Divergence?.Fingerprint, finding.Fingerprint);
    }
}
