using FsCheck;
using FsCheck.Fluent;
using ShmCheck.Abi;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Checking;
using ShmCheck.Impl;
using ShmCheck.PlantedFaults;
using ShmCheck.Properties.Support;
using Xunit.Abstractions;

namespace ShmCheck.Properties.Agreement;

/// <summary>The implementation keeps the books as the specification says. SHMCHECK_SEED draws
/// other sequences than the usual ones.</summary>
public sealed class AgreementTests(ITestOutputHelper output)
{
    private const int CallsPerRun = 100;
    private const int RunsPerProfile = 1000;

    /// <summary>A run in which everybody has died is over before its last call.</summary>
    private const long StepsPerProfile = 50_000;

    /// <summary>FsCheck's second number, which has to be odd.</summary>
    private const ulong Gamma = 2026_11_21;

    private static readonly ulong Seed = TestSeed.Value;

    public static TheoryData<KernelProfile> Profiles => [.. SystemCapabilities.AllProfiles];

    [Theory]
    [MemberData(nameof(Profiles))]
    public void The_implementation_agrees_with_the_specification_on_random_calls(
        KernelProfile profile)
    {
        long steps = 0;
        Property agreement = Prop.ForAll(
            CheckedRun.Runs(new ImplFactory(), profile, CallsPerRun),
            run =>
            {
                steps += run.Record.Compared;
                return run.Agrees;
            });
        Check.One(Configuration(RunsPerProfile, (ulong)profile), agreement);
        output.WriteLine($"{profile}: {steps:N0} steps, SHMCHECK_SEED={Seed}");
        Assert.True(steps >= StepsPerProfile, $"only {steps} steps");
    }

    [Fact]
    public void The_implementation_agrees_with_the_specification_where_coverage_leads()
    {
        CampaignReport report = Campaign.Run(
            new ImplFactory(), new CampaignOptions { Seed = Seed, Steps = 100_000, Jobs = 2 });
        output.WriteLine($"{report.Steps:N0} steps, {report.Coverage.RulesFired} rules fired");
        Assert.True(
            report.Findings.IsEmpty, string.Join('\n', report.Findings.Select(f => f.Text)));
    }

    [Fact]
    public void A_disagreement_is_told_with_its_seed_and_as_the_trace_that_the_console_shows()
    {
        var faulty = new FaultyFactory(() => new StatSeesNoAttach());
        Property agreement = Prop.ForAll(
            CheckedRun.Runs(faulty, KernelProfile.Linux6_18, CallsPerRun), run => run.Agrees);
        string message = Assert.ThrowsAny<Exception>(
            () => Check.One(Configuration(RunsPerProfile), agreement)).Message;
        Assert.Contains($"({Seed},{Gamma})", message, StringComparison.Ordinal);
        string shrunk = message[message.IndexOf("Shrunk:", StringComparison.Ordinal)..];
        Assert.Contains(
            """
            # shmcheck trace 1
            machine profile=6.18 page=4096 frames=4096
            p1 shmget(IPC_PRIVATE, 4096, 0600) = s1
            p1 shmat(s1, NULL, 0) = a1
            p1 shmctl(s1, IPC_STAT) = 0 {key=0
            """.ReplaceLineEndings("\n"),
            shrunk, StringComparison.Ordinal);
        Assert.Contains(
            "reply nattch: expected 1 mappings, the system says 0", shrunk,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_seed_draws_the_same_runs()
    {
        Assert.Equal(Draw(Seed), Draw(Seed));
        Assert.NotEqual(Draw(Seed), Draw(Seed + 1));
    }

    private static string Draw(ulong seed) => string.Concat(
        CheckedRun.Runs(SpecSystem.Factory, KernelProfile.Linux6_1, 20).Generator
            .Sample(3, new Rnd(seed, Gamma), 50).Select(run => run.ToString()));

    private static Config Configuration(int runs, ulong stream = 0) =>
        Config.QuickThrowOnFailure.WithMaxTest(runs).WithReplay(Seed, Gamma + (2 * stream));
}
