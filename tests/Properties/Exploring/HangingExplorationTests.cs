using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Exploring;
using ShmCheck.Harness.Reporting;
using ShmCheck.Impl;

namespace ShmCheck.Properties.Exploring;

/// <summary>A system in this process that does not come back from a call, explored.</summary>
public sealed class HangingExplorationTests : IDisposable
{
    private static readonly ExplorationOptions Options = new()
    {
        Patience = TimeSpan.FromSeconds(0.3),
    };

    private readonly CancellationTokenSource _letGo = new();

    private static Scope Tiny => Scope.All.First(scope => scope.Name == "tiny");

    public void Dispose()
    {
        _letGo.Cancel();
        _letGo.Dispose();
    }

    [Fact]
    public void A_call_that_does_not_come_back_is_a_violation_and_ends_the_exploration()
    {
        var secondAttachHangs = new Lie("the second attach hangs", 4, (call, _, after) =>
            call is ShmAt && after.Segments[0][(int)SegmentField.nattch] == 2 ? Hang() : 0ul,
            (_, _) => { });

        ExplorationReport report =
            new Explorer(new LyingFactory(secondAttachHangs), Tiny, Options).Run();

        Assert.Equal(ExplorationEnd.Hung, report.End);
        ExplorationViolation hang = Assert.Single(report.Violations);
        Assert.Equal("system.hung | reply | ShmAt", hang.Fingerprint.ToString());
        Assert.Equal(
            [CallKind.ShmGet, CallKind.Fork, CallKind.ShmAt, CallKind.ShmAt],
            hang.Record.Calls.Select(call => call.Kind));
        Assert.Contains("does not come back", DivergenceText.Trace(hang.Record));
    }

    [Fact]
    public void A_system_that_does_not_start_is_lost()
    {
        var explorer = new Explorer(new StartHangs(Hang), Tiny, Options);
        Assert.Throws<SystemLostException>(explorer.Run);
    }

    private ulong Hang()
    {
        while (!_letGo.IsCancellationRequested)
        {
            Thread.SpinWait(1000);
        }

        return 0;
    }

    private sealed class StartHangs(Func<ulong> hang) : ISystemFactory
    {
        private readonly ImplFactory _honest = new();

        public string Name => "not starting";

        public SystemCapabilities Capabilities => _honest.Capabilities;

        public ISystemUnderTest Start(MachineConfig config)
        {
            hang();
            return _honest.Start(config);
        }
    }
}
