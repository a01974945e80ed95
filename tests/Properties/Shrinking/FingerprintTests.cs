using ShmCheck.Abi;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Shrinking;
using ShmCheck.PlantedFaults;

namespace ShmCheck.Properties.Shrinking;

/// <summary>A shrink stays with its bug, and hands on the others that it meets.</summary>
public sealed class FingerprintTests
{
    private static readonly FaultyFactory TwoBugs =
        new(() => new OwnerMustBeSet(), () => new StatSeesNoAttach());

    [Fact]
    public void A_shrink_does_not_slip_to_a_shorter_bug_on_its_way()
    {
        (ShrinkResult result, List<RunRecord> others) = ShrinkBehindAnotherBug();
        Assert.Equal(
            [CallKind.ShmGet, CallKind.ShmCtlSet, CallKind.ShmAt, CallKind.ShmCtlStat],
            result.Calls.Select(call => call.Kind));
        Assert.Equal(CallKind.ShmCtlStat, result.Record.Divergence!.Fingerprint.Call);
        Assert.True(result.Minimal);
        Assert.NotEmpty(others);
    }

    [Fact]
    public void Another_bug_that_a_shrink_meets_is_handed_on()
    {
        (ShrinkResult _, List<RunRecord> others) = ShrinkBehindAnotherBug();
        Assert.All(others, other =>
            Assert.Equal(CallKind.ShmAt, other.Divergence!.Fingerprint.Call));
    }

    [Fact]
    public void Two_bugs_that_are_planted_at_once_are_two_findings()
    {
        CampaignReport report = Campaign.Run(
            new FaultyFactory(() => new NothingIsTooMuch(), () => new StatSeesNoAttach()),
            new CampaignOptions { Seed = 5, Steps = 10_000, Length = 60 });
        Assert.Equal(
            ["shmctl.ok.stat | atime,nattch | ShmCtlStat",
                "shmget.einval.size-below-shmmin | reply | ShmGet"],
            report.Findings.Select(finding => finding.Fingerprint.ToString()).Order());
        Assert.Equal([1, 3], report.Findings.Select(finding => finding.Calls.Length).Order());
        Assert.All(report.Findings, finding =>
            Assert.NotEqual(Certificate.None, finding.Certificate));
    }

    private static (ShrinkResult Result, List<RunRecord> Others) ShrinkBehindAnotherBug()
    {
        ProcessHandle p1 = ProcessHandle.First;
        var s1 = new SegmentHandle(1);
        var a1 = new MappingHandle(1);
        var record = new RunRecord();
        new SequenceRunner(TwoBugs).Run(
            new MachineConfig(),
            new CallList(
            [
                new ShmGet(p1, ShmKey.Private, 4096, new ShmGetFlags(0x180), s1),
                new ShmCtlSet(p1, s1, 0, 0, 0x180),
                new ShmCtlLock(p1, s1),
                new ShmAt(p1, s1, AddressRef.Null, new ShmAtFlags(0), a1),
                new Load(p1, a1, new TouchedPage(0)),
                new ShmCtlStat(p1, s1),
            ]),
            record);
        var others = new List<RunRecord>();
        ShrinkResult? result = Shrinker.Shrink(
            new SequenceRunner(TwoBugs), record, other => others.Add(other.Copy()));
        return (result!, others);
    }
}
