using ShmCheck.Abi;
using ShmCheck.Harness.Traces;
using ShmCheck.Spec;

namespace ShmCheck.Properties.Specification;

/// <summary>A specified machine that plays lines of a trace, and what the last of them did.
/// </summary>
internal sealed class Scene
{
    private readonly StepContext _context;
    private readonly string _machine;

    public Scene(string machine = "", IChoices? choices = null)
    {
        _machine = $"machine {machine}";
        _context = new StepContext(
            new Bindings(), choices ?? new CanonicalChoices(), new StepLog());
        State = Spec.Specification.Start(Parse("").Machine, FirstPid);
        Bindings.Bind(ProcessHandle.First, FirstPid);
    }

    private const int FirstPid = 1000;

    /// <summary>The state reached; may be amended.</summary>
    public SpecState State { get; set; }

    public Bindings Bindings => _context.Bindings;

    /// <summary>What fired in the last call.</summary>
    public StepLog Log => _context.Log;

    /// <summary>The outcome of the last call.</summary>
    public StepResult Last { get; private set; }

    /// <summary>The rule that decided the last call.</summary>
    public string Rule => Last.Rule.Id;

    /// <summary>Plays lines, each of which has to be a call that can be made.</summary>
    public Scene Play(string lines)
    {
        foreach (Call call in Parse(lines).Calls)
        {
            Do(call);
        }

        return this;
    }

    /// <summary>Makes a call.</summary>
    public StepResult Do(Call call)
    {
        Assert.True(
            Bindings.AreBound(call) && Spec.Specification.CanExecute(State, call, Bindings),
            $"{TracePrinter.Print(call)} cannot be made");
        _context.Now = new Stamp(_context.Now.Latest + 1, _context.Now.Latest + 2);
        Last = Spec.Specification.Step(State, call, _context);
        State = Last.State;
        Bindings.Bind(call, Last.Reply);
        return Last;
    }

    /// <summary>A scene with the same machine, in which all allocations that can be made to fail
    /// do so.</summary>
    public static Scene OfFailures(MachineConfig config)
    {
        var scene = new Scene(choices: new FailingChoices());
        scene.State = Spec.Specification.Start(config, FirstPid);
        return scene;
    }

    private Trace Parse(string lines) =>
        TraceParser.Parse("scene", $"# shmcheck trace {Trace.Version}\n{_machine}\n{lines}\n");

    private sealed class FailingChoices : IChoices
    {
        private readonly CanonicalChoices _others = new();

        public int Identifier(int predicted, Func<int, bool> admissible) => predicted;

        public ulong Place(Room room) => _others.Place(room);

        public int Pid(int predicted, Func<int, bool> admissible) => predicted;

        public bool Fails(Injection injection) => true;
    }
}
