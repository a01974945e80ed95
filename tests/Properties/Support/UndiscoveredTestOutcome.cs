using System.Collections.Concurrent;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace ShmCheck.Properties.Support;

/// <summary>What test cases told while they ran.</summary>
internal sealed class UndiscoveredTestOutcome
    : LongLivedMarshalByRefObject, IMessageBus, IMessageSink
{
    private readonly ConcurrentQueue<IMessageSinkMessage> _messages = new();

    /// <summary>The tests that passed.</summary>
    public IReadOnlyList<ITestPassed> Passed => [.. _messages.OfType<ITestPassed>()];

    /// <summary>The tests that failed.</summary>
    public IReadOnlyList<ITestFailed> Failed => [.. _messages.OfType<ITestFailed>()];

    /// <summary>The tests that were skipped.</summary>
    public IReadOnlyList<ITestSkipped> Skipped => [.. _messages.OfType<ITestSkipped>()];

    /// <summary>What the one test that was run wrote, when it passed.</summary>
    public string OutputOfPassed
    {
        get
        {
            Assert.Empty(Failed.SelectMany(failed => failed.Messages));
            return Assert.Single(Passed).Output;
        }
    }

    /// <summary>Message of the one test that was run, when it failed.</summary>
    public string MessageOfFailed
    {
        get
        {
            Assert.Empty(Passed);
            return Assert.Single(Failed).Messages[0];
        }
    }

    public bool QueueMessage(IMessageSinkMessage message) => OnMessage(message);

    public bool OnMessage(IMessageSinkMessage message)
    {
        _messages.Enqueue(message);
        return true;
    }

    public void Dispose()
    {
    }
}
